"""20 whole jobs and 20 executors killed at random moments, under mpirun and as one process; 50 ranks and launchers
killed or stopped.
CROSSGRID_SLOW_SAMPLE=SEED: a few of each, at moments that the seed chooses."""

import os
import zlib

import chaos

sample = os.environ.get("CROSSGRID_SLOW_SAMPLE")
if sample:
    chaos.run_all(jobs=3, executors=3, ranks_list=[0], seed=zlib.crc32(sample.encode()), rank_hits=chaos.RANK_HITS)
else:
    chaos.run_all(jobs=20, executors=20, ranks_list=[3, 0], seed=int.from_bytes(os.urandom(4), "little"),
                  rank_hits=10 * chaos.RANK_HITS)
