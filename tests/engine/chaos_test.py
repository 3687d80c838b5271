"""Twenty disturbed sweeps, and ten in which a worker rank is killed or stopped; chaos_slow_test.py has the many."""

import chaos_runs

chaos_runs.run_all(runs=20, lost_workers=10, seed=1, at_once=6)
