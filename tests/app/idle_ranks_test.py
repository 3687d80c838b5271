"""Ranks that wait take less than 1 % of a core: rank 0 and the worker of a long unit, and a worker that has nothing to do.
Counted in CPU time; a process that waits by spinning is the twin that must be found."""

import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import crossgrid_runs as runs
import session_processes as processes

RANKS = 3
MOST = 0.01
SECONDS = float(os.environ.get("CROSSGRID_IDLE_SECONDS", 6))


def cpu_seconds(pid):
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def shares(pids):
    """Of a core, that each process takes while nothing happens."""
    begin, before = time.monotonic(), {pid: cpu_seconds(pid) for pid in pids}
    time.sleep(SECONDS)
    after = {pid: cpu_seconds(pid) for pid in pids}
    elapsed = time.monotonic() - begin
    return {pid: (after[pid] - before[pid]) / elapsed for pid in pids}


def stop(job):
    os.killpg(job.pid, signal.SIGKILL)
    job.wait()


def waiting_ranks(folder):
    """One unit, which hangs: a long one."""
    sweep = runs.write_sweep(folder, grid={"adc.bits": [6]}, trials=1)
    command = runs.command(sweep, folder / "out", "--threads", "1", "--unit-images", "1000", "--time-limit", "600", ranks=RANKS)
    job = subprocess.Popen(command, env=runs.environment(CROSSGRID_FAILPOINTS="executor.after_start=hang",
                                                         CROSSGRID_FAILPOINT_LOG=str(folder / "fired")),
                           stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)
    try:
        deadline = time.monotonic() + 60
        while not (folder / "fired").exists():
            if job.poll() is not None or time.monotonic() > deadline:
                runs.fail("no unit began")
            time.sleep(0.05)
        time.sleep(1)  # the other executors start
        ranks = processes.ranks_of(processes.processes_of(job.pid), b"run")
        if sorted(ranks) != list(range(RANKS)):
            runs.fail(f"found ranks {sorted(ranks)}, expected {RANKS}")
        found = shares(ranks.values())
        return {rank: found[pid] for rank, pid in ranks.items()}
    finally:
        stop(job)


def spinning_process():
    job = subprocess.Popen([sys.executable, "-c", "while True: pass"], start_new_session=True)
    try:
        return shares([job.pid])[job.pid]
    finally:
        stop(job)


def main():
    runs.need_mpirun()
    with tempfile.TemporaryDirectory() as name:
        found = waiting_ranks(Path(name))
    print("of a core:", ", ".join(f"rank {rank} {100 * share:.2f} %" for rank, share in sorted(found.items())))
    if max(found.values()) >= MOST:
        runs.fail(f"a rank that waits takes {100 * max(found.values()):.2f} % of a core, expected less than 1 %")
    twin = spinning_process()
    if twin < MOST:
        runs.fail(f"a process that spins takes {100 * twin:.2f} % of a core: this test could not fail")


main()
