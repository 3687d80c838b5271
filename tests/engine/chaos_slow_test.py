"""200 disturbed sweeps, and 50 in which a worker rank is killed or stopped, at new moments each time.
CROSSGRID_SLOW_SAMPLE=SEED: a tenth of them, at moments that the seed chooses."""

import os
import zlib

import chaos_runs

sample = os.environ.get("CROSSGRID_SLOW_SAMPLE")
if sample:
    chaos_runs.run_all(runs=28, lost_workers=5, seed=zlib.crc32(sample.encode()), at_once=4)
else:
    chaos_runs.run_all(runs=200, lost_workers=50, seed=int.from_bytes(os.urandom(4), "little"), at_once=4)
