"""A few kills of real runs; chaos_slow_test.py has the many."""

import chaos

chaos.run_all(jobs=3, executors=3, ranks_list=[3], seed=1, rank_hits=["worker SIGKILL", "rank0 SIGSTOP"])
