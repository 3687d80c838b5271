"""Kills real runs at random moments and checks by an independent reading of the journal that every image of every chip
is there exactly once and that the database equals the undisturbed one byte for byte."""

import os
import random
import signal
import subprocess
import tempfile
import time
from pathlib import Path

import crossgrid_runs as runs
from session_processes import executors_of, processes_of, ranks_of

IMAGES = runs.SWEEP["dataset"]["images"]["count"]
FLAGS = ["--threads", "1", "--unit-images", "25"]
LEAST, MOST = 0.05, 0.95  # of the units are done when something is killed


def chips():
    """Distinct chips of the test's sweep: read noise draws at every point, so each has all its trials."""
    count = runs.SWEEP["trials"]
    for values in runs.SWEEP["grid"].values():
        count *= len(values)
    return count


def start(sweep, out, ranks):
    return subprocess.Popen(runs.command(sweep, out, *FLAGS, ranks=ranks), env=runs.environment(), text=True,
                            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)


def kill_job(job):
    """SIGKILL for everything that the run started, at once."""
    for pid, _ in processes_of(job.pid):
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
    job.wait()


def finish(sweep, out, ranks, base, what):
    result = runs.run(sweep, out, *FLAGS, ranks=ranks, timeout=300)
    if runs.points(out) != base:
        runs.fail(f"{what}: the database differs from the undisturbed one\n{result.stderr}")
    runs.check_exactly_once(out, IMAGES, chips())


def undisturbed(folder, ranks):
    sweep = runs.write_sweep(folder)
    began = time.monotonic()
    runs.run(sweep, folder / "base", *FLAGS, ranks=ranks)
    return sweep, runs.points(folder / "base"), time.monotonic() - began, runs.units_recorded(folder / "base")


def percents(parts):
    return ", ".join(f"{part:.0f}" for part in parts)


def kill_whole_jobs(folder, count, ranks, rng):
    sweep, base, seconds, units = undisturbed(folder, ranks)
    done_at_kill = []
    attempt = 0
    while len(done_at_kill) < count and attempt < 10 * count:
        attempt += 1
        out = folder / f"job-{attempt}"
        job = start(sweep, out, ranks)
        # Aim at a part of the units, not at a time: start-up takes a good part of a short run.
        aim = rng.uniform(LEAST, MOST) * units
        deadline = time.monotonic() + 20 * seconds + 30
        while job.poll() is None and time.monotonic() < deadline:
            if out.exists() and runs.units_recorded(out) >= aim:
                break
            time.sleep(0.002)
        kill_job(job)
        done = runs.units_recorded(out) / units
        finish(sweep, out, ranks, base, f"job {attempt}")
        if LEAST <= done <= MOST:  # the others count as tries only
            done_at_kill.append(100 * done)
    print(f"{len(done_at_kill)} whole jobs killed in {attempt} tries ({ranks} ranks) with {percents(done_at_kill)} % "
          f"of {units} units done: each continued to the same bytes")
    if len(done_at_kill) < count:
        runs.fail(f"only {len(done_at_kill)} of {count} jobs could be killed in time: this test could not fail")


def kill_executors(folder, count, ranks, rng):
    sweep, base, seconds, units = undisturbed(folder, ranks)
    done_at_kill = []
    attempt = 0
    while len(done_at_kill) < count and attempt < 10 * count:
        attempt += 1
        out = folder / f"executors-{attempt}"
        job = start(sweep, out, ranks)
        aim = rng.uniform(LEAST, MOST) * units
        while job.poll() is None and len(done_at_kill) < count:
            done = runs.units_recorded(out) if out.exists() else 0
            if done > MOST * units:
                break
            victims = executors_of(processes_of(job.pid)) if done >= aim else []
            if victims:
                os.kill(rng.choice(victims), signal.SIGKILL)
                done_at_kill.append(100 * done / units)
                aim += rng.uniform(0.1, 0.4) * units
            time.sleep(0.002)
        job.wait(timeout=300)
        if job.returncode != 0:
            runs.fail(f"run {attempt}: exit code {job.returncode} after killed executors")
        if runs.points(out) != base:
            runs.fail(f"run {attempt}: the database differs from the undisturbed one")
        runs.check_exactly_once(out, IMAGES, chips())
    print(f"{len(done_at_kill)} executors killed in {attempt} runs ({ranks} ranks) with {percents(done_at_kill)} % of "
          f"{units} units done: the runs went on to the same bytes")
    if len(done_at_kill) < count:
        runs.fail(f"only {len(done_at_kill)} of {count} executors could be killed: this test could not fail")


RANK_HITS = ["worker SIGKILL", "worker SIGSTOP", "rank0 SIGKILL", "rank0 SIGSTOP", "mpirun SIGKILL"]


def hit_ranks(folder, hits, rng):
    """Ranks and the launcher are killed or stopped: with a worker, the same job goes on; else the next one does."""
    flags = [*FLAGS, "--lease", "2"]
    sweep, base, _, units = undisturbed(folder, 3)
    for number, hit in enumerate(hits):
        who, what = hit.split()
        done, tries = MOST * units + 1, 0
        while not LEAST * units <= done <= MOST * units and tries < 10:
            tries += 1
            out = folder / f"ranks-{number}-{tries}"
            job = subprocess.Popen(runs.command(sweep, out, *flags, ranks=3), env=runs.environment(), text=True,
                                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)
            aim = rng.uniform(LEAST, 0.7) * units
            while job.poll() is None and not (out.exists() and runs.units_recorded(out) >= aim):
                time.sleep(0.002)
            ranks = ranks_of(processes_of(job.pid), b"run")
            victim = {"worker": ranks.get(rng.randint(1, 2)), "rank0": ranks.get(0), "mpirun": job.pid}[who]
            done = runs.units_recorded(out)
            if victim and job.poll() is None:
                os.kill(victim, getattr(signal, what))
            else:
                done = MOST * units + 1
            job.wait(timeout=120)
            deadline = time.monotonic() + 10
            while processes_of(job.pid):
                if time.monotonic() > deadline:
                    runs.fail(f"{hit}: {processes_of(job.pid)} are left behind")
                time.sleep(0.05)
            if who == "worker" and runs.points(out) != base:
                runs.fail(f"{hit}: the same job did not finish to the undisturbed bytes")
            finish(sweep, out, 3, base, hit)
        if not LEAST * units <= done <= MOST * units:
            runs.fail(f"{hit}: its moment was missed {tries} times: this test could not fail")
        print(f"{hit} with {100 * done / units:.0f} % of {units} units done: "
              f"{'the same job' if who == 'worker' else 'the next job'} went on to the same bytes")


def run_all(jobs, executors, ranks_list, seed, rank_hits):
    runs.need_mpirun()
    print(f"seed {seed}")
    rng = random.Random(seed)
    with tempfile.TemporaryDirectory() as name:
        hit_ranks(Path(name), rank_hits, rng)
    for ranks in ranks_list:
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            (folder / "a").mkdir()
            (folder / "b").mkdir()
            kill_whole_jobs(folder / "a", jobs, ranks, rng)
            kill_executors(folder / "b", executors, ranks, rng)
