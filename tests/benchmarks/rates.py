"""Units per second beside peers, on two workers: isolated units of the engine (executor processes, a journal record each),
function calls of mpi4py.futures, processes of GNU parallel, all of which do nothing.

    rates.py DISPATCH_BENCHMARK [ROUNDS]

One run in interleaved rounds; prints medians, ratios and the limits. Peers that can't be had are skipped, and named."""

import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
import pypi_environment  # noqa: E402

MPI = {"OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1"}
MPIRUN = ["mpirun", "--oversubscribe", "--bind-to", "none", "-np", "3"]

# Warmed up first: what is measured is the dispatch, not the start of the pool.
POOL = """
import sys, time
from mpi4py.futures import MPIPoolExecutor
def nothing(number):
    return number
if __name__ == "__main__":
    count, chunk = int(sys.argv[1]), int(sys.argv[2])
    with MPIPoolExecutor() as pool:
        sum(pool.map(nothing, range(100), unordered=True))
        begin = time.perf_counter()
        total = sum(pool.map(nothing, range(count), chunksize=chunk, unordered=True))
        print(count / (time.perf_counter() - begin))
        assert total == count * (count - 1) // 2
"""


def output(words, **options):
    result = subprocess.run(words, text=True, capture_output=True, env={**os.environ, **MPI}, timeout=300, **options)
    if result.returncode != 0:
        sys.exit(f"failed: {words}\n{result.stdout}\n{result.stderr}")
    return result.stdout


def engine(program, folder, units, batch):
    output([*MPIRUN, program, "measure", str(units), str(batch), str(folder)])
    return float((folder / "answer").read_text())


def pool(python, script, calls, chunk):
    return float(output([*MPIRUN, str(python), "-m", "mpi4py.futures", str(script), str(calls), str(chunk)]))


def gnu_parallel(tasks):
    begin = time.perf_counter()
    output(["parallel", "--will-cite", "-j2", "true"], input="".join(f"{number}\n" for number in range(tasks)))
    return tasks / (time.perf_counter() - begin)


def has_gnu_parallel():
    program = shutil.which("parallel")
    return program and "GNU" in subprocess.run([program, "--version"], text=True, capture_output=True).stdout


def main():
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    program = str(Path(sys.argv[1]).resolve())
    rounds = int(sys.argv[2]) if len(sys.argv) > 2 else 5
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        script = folder / "pool.py"
        script.write_text(POOL)
        cases = {"batches": ("this engine, batches of up to 64", lambda: engine(program, folder, 100_000, 64)),
                 "single": ("this engine, one by one", lambda: engine(program, folder, 20_000, 1))}
        python = pypi_environment.python_with(folder / "venv", ["mpi4py"])
        if python:
            cases["mpi4py"] = ("mpi4py.futures, one by one", lambda: pool(python, script, 20_000, 1))
            cases["chunks"] = ("mpi4py.futures, chunks of 64", lambda: pool(python, script, 200_000, 64))
        else:
            print("skipped: mpi4py can't be installed from PyPI")
        if has_gnu_parallel():
            cases["parallel"] = ("GNU parallel", lambda: gnu_parallel(1_000))
        else:
            print("skipped: GNU parallel (Debian's package 'parallel') is missing")
        rates = {case: [] for case in cases}
        for _ in range(rounds):
            for case, (_, measure) in cases.items():
                rates[case].append(measure())
    print(f"tasks that do nothing on 2 workers, {rounds} interleaved rounds")
    print(f"{'':34} {'median/s':>10} {'least':>10} {'most':>10}")
    for case, (label, _) in cases.items():
        print(f"{label:34} {statistics.median(rates[case]):10,.0f} {min(rates[case]):10,.0f} {max(rates[case]):10,.0f}")
    print(f"\n{'ratio of the rounds, median':34} {'measured':>10} {'at least':>10}")
    for case, limit in (("batches", 50_000), ("single", 5_000)):
        print(f"{cases[case][0]:34} {statistics.median(rates[case]):10,.0f} {limit:10,}")
    for case, peer, limit in (("batches", "mpi4py", 5), ("batches", "parallel", 100), ("single", "mpi4py", 1.3)):
        if peer in rates:
            ratio = statistics.median(ours / theirs for ours, theirs in zip(rates[case], rates[peer]))
            print(f"{case + ' / ' + peer:34} {ratio:10.3g} {limit:10}")


main()
