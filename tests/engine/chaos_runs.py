"""Runs of the engine's test program under a real mpirun, disturbed in every way there is, restarted until done: the
database must be the undisturbed one to the byte, and chaos_check.py must find nothing in the log that the test keeps."""

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import chaos_check
from session_processes import executors_of, processes_of, ranks_of

POINTS, TRIALS, UNIT_IMAGES, IMAGES = 10, 3, 20, 200  # the last point has one trial
UNITS = ((POINTS - 1) * TRIALS + 1) * IMAGES // UNIT_IMAGES
RANKS = 3
LEASE = 2.0  # [s]
# How long a result may be on its way on a busy machine [s]: out of its executor, its worker, and onto the disk.
WAYS = {"executor": 0.2, "worker": 0.5, "disk": 1.0}
LEAST, MOST = 0.05, 0.9  # of the units are ended when a run is hit; else the run is made again
PATIENCE = 90  # [s] for one launch


def program():
    return os.environ["CROSSGRID_ENGINE_TEST_PROGRAM"]


class Failure(Exception):
    pass


class Run:
    """One sweep in a folder of its own, over as many launches as it takes."""

    def __init__(self, folder, rng, nap=0.015, out=None):
        self.folder, self.rng, self.nap = folder, rng, nap
        folder.mkdir()
        self.out = out or folder / "out"
        self.log = folder / "log"
        self.log.touch()
        self.failpoints = folder / "failpoints"
        self.job_file = folder / "job.json"
        self.job_file.write_text(json.dumps({
            "nap": nap, "history": str(self.log),
            "sweep": {"points": POINTS, "trials": TRIALS, "images": UNIT_IMAGES, "disk_wait": 60},
            "options": {"retries": 100000, "lease": LEASE, "silence_limit": 1.0, "time_limit": 5, "start_backoff": 0.02},
        }))
        self.job = None
        self.launches = 0

    def launch(self, armed=""):
        self.launches += 1
        environment = {**os.environ, "OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1",
                       "CROSSGRID_FAILPOINT_LOG": str(self.failpoints), "CROSSGRID_FAILPOINTS": armed}
        words = ["mpirun", "-np", str(RANKS), "--oversubscribe", "--bind-to", "none", "--enable-recovery", program(),
                 "sweep", str(self.job_file), str(self.out)]
        self.job = subprocess.Popen(words, env=environment, stdout=subprocess.DEVNULL, start_new_session=True,
                                    stderr=open(self.folder / f"stderr-{self.launches}", "w"))

    def processes(self):
        """Living processes of this launch by what they are: mpirun, ranks in their order, executors."""
        found = [(pid, words) for pid, words in processes_of(self.job.pid) if words != [b""]]
        return [pid for pid, _ in found], ranks_of(found, b"sweep"), executors_of(found)

    def ended(self):
        """Units that runners have ended so far."""
        return self.log.read_bytes().count(b'"what":"end"')

    def rank0(self):
        """The child of mpirun that is no worker. Looked up where processes() would take longer than a run."""
        workers = {worker for worker, _ in self.workers()}
        children = Path(f"/proc/{self.job.pid}/task/{self.job.pid}/children").read_text().split()
        return next((int(pid) for pid in children if int(pid) not in workers), None)

    def workers(self):
        """Worker ranks with the executor that each had last, by the log."""
        latest = {}
        for line in self.log.read_text().splitlines():
            entry = json.loads(line) if line.endswith("}") else {}
            if entry.get("what") == "start":
                latest[entry["parent"]] = entry["process"]
        return list(latest.items())

    def complete(self):
        points = self.out / "points.jsonl"
        return points.exists() and b'"pending"' not in points.read_bytes() and b'"partial"' not in points.read_bytes()

    def await_ended(self, units):
        limit = time.monotonic() + PATIENCE
        while self.ended() < units and self.job.poll() is None:
            if time.monotonic() > limit:
                raise Failure(f"only {self.ended()} units after {PATIENCE} s")
            time.sleep(0.005)

    def note(self, why, begin, end=None, rank=None, way="disk"):
        """A disturbance, for the checker. By one write: runners append to the same file."""
        line = json.dumps({"disturbed": why, "from": begin, "to": time.monotonic() if end is None else end, "rank": rank,
                           "way": WAYS[way]})
        descriptor = os.open(self.log, os.O_WRONLY | os.O_APPEND)
        os.write(descriptor, (line + "\n").encode())
        os.close(descriptor)

    def hit(self, pids, number):
        for pid in pids:
            try:
                os.kill(pid, number)
            except ProcessLookupError:
                pass

    def wait(self):
        """The launch's end; nothing of it may be left."""
        try:
            self.job.wait(timeout=PATIENCE)
        except subprocess.TimeoutExpired:
            everything = self.processes()[0]
            self.hit(everything, signal.SIGKILL)
            raise Failure(f"launch {self.launches} did not end; it had {len(everything)} processes left")
        limit = time.monotonic() + 10
        while self.processes()[0]:
            if time.monotonic() > limit:
                raise Failure(f"processes are left behind: {self.processes()}")
            time.sleep(0.02)

    def end_by_force(self):
        begin = time.monotonic()
        self.hit(self.processes()[0], signal.SIGKILL)
        self.note("all killed", begin)

    def note_failpoints(self):
        hits = []
        if self.failpoints.exists():
            for line in self.failpoints.read_text().splitlines():
                hit = json.loads(line)
                name = hit["failpoint"]
                where = name.split(".")[0]
                rank = {"executor": hit["parent"], "worker": hit["process"]}.get(where)
                # Without rank 0 the workers go on for a lease: what they begin is as lost as what they had.
                self.note(name, hit["time"], hit["time"] + WAKE if rank else None, rank, where if rank else "disk")
                hits.append(name)
            self.failpoints.unlink()
        return hits

    def finish(self, base):
        """Launches again, undisturbed, until all is done; compares and checks."""
        hits = self.note_failpoints()
        while not self.complete():
            if self.launches > 4:
                raise Failure(f"not done after {self.launches} launches")
            self.launch()
            self.wait()
        for name in ("points.jsonl", "sweep.json"):
            if (self.out / name).read_bytes() != base[name]:
                raise Failure(f"{name} differs from the undisturbed one")
        result = subprocess.run([sys.executable, chaos_check.__file__, self.log, self.out, str(UNITS)], text=True,
                                capture_output=True)
        if result.returncode != 0:
            raise Failure(result.stdout + result.stderr)
        return hits, result.stdout.strip()


TRIES = 8
# Which passage of a failpoint kills. Executors pass theirs anew in every process: they must get something done before.
PASSAGES = {"executor.before_load": (1, 1), "executor.after_start": (5, 20), "executor.before_result": (5, 20),
            "worker.before_spawn": (1, 1), "database.before_write": (1, 1), "database.after_write": (1, 1)}
WAKE = 0.1  # [s] between a failpoint's line and its kill, at most


def moment(run):
    """Waits for a random moment of the run; False where it was missed."""
    run.await_ended(int(run.rng.uniform(LEAST, 0.7) * UNITS))
    workers_known = len(run.workers()) == RANKS - 1
    return workers_known and LEAST * UNITS <= run.ended() <= MOST * UNITS and run.job.poll() is None


def kill_executors(run):
    for _ in range(run.rng.randint(1, 4)):
        parent, victim = run.rng.choice(run.workers())
        begin = time.monotonic()
        run.hit([victim], signal.SIGKILL)
        run.note("executor killed", begin, rank=parent, way="executor")
        time.sleep(run.rng.uniform(0.02, 0.2))
    run.wait()


def stop_executor(run):
    parent, victim = run.rng.choice(run.workers())
    begin = time.monotonic()
    run.hit([victim], signal.SIGSTOP)
    run.note("executor stopped", begin, rank=parent, way="executor")
    run.wait()


def hit_worker(number, resume_after=None):
    def disturb(run):
        victim, _ = run.rng.choice(run.workers())
        begin = time.monotonic()
        run.hit([victim], number)
        # What its executor ends meanwhile, and before it hears of the recall, nobody has heard of.
        run.note("worker hit", begin, begin + PATIENCE, rank=victim, way="worker")
        if resume_after:
            time.sleep(resume_after)
            run.hit([victim], signal.SIGCONT)
        run.wait()
    return disturb


def hit_rank0(number, resume_after=None):
    def disturb(run):
        victim = run.rank0()
        begin = time.monotonic()
        run.hit([victim], number)
        if resume_after:
            time.sleep(resume_after)
            run.hit([victim], signal.SIGCONT)
            run.note("rank 0 stopped for a while", begin)
        else:
            limit = time.monotonic() + 2 * LEASE + 3  # mpirun needs a second to end what is left
            while run.job.poll() is None and time.monotonic() < limit:
                time.sleep(0.02)
            run.note("rank 0 hit", begin)
            if run.job.poll() is None:
                raise Failure(f"without rank 0 it did not end within two leases: {run.processes()}")
        run.wait()
    return disturb


def hit_mpirun(number):
    def disturb(run):
        begin = time.monotonic()
        run.hit([run.job.pid], number)
        if number == signal.SIGSTOP:
            time.sleep(run.rng.uniform(0.1, 0.5))
            run.hit([run.job.pid], signal.SIGKILL)
        run.wait()
        run.note("mpirun hit", begin)
    return disturb


def kill_all(run):
    run.end_by_force()
    run.wait()


def suspend_all(run):
    everything = run.processes()[0]
    begin = time.monotonic()
    run.hit(everything, signal.SIGSTOP)
    time.sleep(run.rng.uniform(0.2, 1.5 * LEASE))
    run.hit(everything, signal.SIGCONT)
    run.note("all suspended", begin)
    run.wait()


def fill_disk(then):
    def disturb(run):
        """Leaves no room on the run's small file system for a while."""
        ballast = run.out.parent / "ballast"
        begin = time.monotonic()
        with open(ballast, "wb", buffering=0) as file:
            try:
                while True:
                    file.write(b"x" * 4096)
            except OSError:
                pass
        time.sleep(run.rng.uniform(0.5, 1.5))
        stalled = run.ended()
        time.sleep(0.5)
        if run.job.poll() is None and run.ended() > stalled:
            raise Failure(f"{run.ended() - stalled} units were begun although the disk was full")
        if then == "kill":
            run.end_by_force()
            run.note("disk full", begin)
        ballast.unlink()
        run.wait()
        if then == "room":
            said = (run.folder / f"stderr-{run.launches}").read_text()
            if "the disk is full: paused" not in said or "the run goes on" not in said:
                raise Failure(f"it did not say that it paused and went on: {said}")
    return disturb


SAME_JOB = {
    "executors killed": kill_executors,
    "executor stopped": stop_executor,
    "worker killed": hit_worker(signal.SIGKILL),
    "worker stopped": hit_worker(signal.SIGSTOP),
    "worker stopped for less than its lease": hit_worker(signal.SIGSTOP, 0.4 * LEASE),
    "worker stopped for longer than its lease": hit_worker(signal.SIGSTOP, 1.6 * LEASE),
    "rank 0 stopped for less than a lease": hit_rank0(signal.SIGSTOP, 0.4 * LEASE),
    "all suspended": suspend_all,
}
RESTARTED = {
    "rank 0 killed": hit_rank0(signal.SIGKILL),
    "rank 0 stopped": hit_rank0(signal.SIGSTOP),
    "mpirun killed": hit_mpirun(signal.SIGKILL),
    "mpirun stopped, then killed": hit_mpirun(signal.SIGSTOP),
    "mpirun terminated": hit_mpirun(signal.SIGTERM),
    "all killed": kill_all,
}
FULL_DISK = {"disk full": fill_disk("room"), "disk full, then all killed": fill_disk("kill")}


def failpoint_names():
    result = subprocess.run([program(), "failpoints"], text=True, capture_output=True, check=True)
    return result.stdout.split()


def undisturbed(folder):
    run = Run(folder / "base", random.Random(0), nap=0)
    run.launch()
    run.wait()
    if not run.complete():
        raise Failure((run.folder / "stderr-1").read_text())
    return {name: (run.out / name).read_bytes() for name in ("points.jsonl", "sweep.json")}


def one(folder, number, kind, seed, base):
    """One disturbed sweep; the names of the failpoints that fired. On a busy machine the moment may be missed."""
    for attempt in range(TRIES):
        hits = try_one(folder, f"{number}-{attempt}", kind, random.Random(f"{seed}/{number}/{attempt}"), seed, base)
        if hits is not None:
            return hits
    raise Failure(f"run {number} ({kind}): its moment was missed {TRIES} times: this test could not fail")


def try_one(folder, number, kind, rng, seed, base):
    out, mounted = None, None
    if kind in FULL_DISK:
        mounted = folder / f"disk-{number}"
        mounted.mkdir()
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(mounted)], check=True)
        out = mounted / "out"
    try:
        # mpirun takes its time to hear a signal.
        run = Run(folder / f"run-{number}", rng, nap=0.05 if kind == "mpirun terminated" else 0.015, out=out)
        try:
            if kind.startswith("failpoint "):
                name = kind.removeprefix("failpoint ")
                run.launch(f"{name}=kill@{rng.randint(*PASSAGES.get(name, (1, 5)))}")
                run.wait()
            else:
                run.launch()
                if not moment(run):
                    run.end_by_force()
                    run.wait()
                    return None
                {**SAME_JOB, **RESTARTED, **FULL_DISK}[kind](run)
                if (kind in SAME_JOB or kind == "disk full") and not run.complete():
                    raise Failure("the same job did not finish")
            hits, said = run.finish(base)
            print(f"{number:>5} {kind}: {run.launches} launches, {said}", flush=True)
            return hits
        except Failure as failure:
            errors = "".join(path.read_text() for path in sorted(run.folder.glob("stderr-*")))
            raise Failure(f"run {number} ({kind}, seed {seed}): {failure}\n{errors[-3000:]}") from None
    finally:
        if mounted:
            subprocess.run(["umount", "-l", str(mounted)], check=False)


def can_mount(folder):
    probe = folder / "probe"
    probe.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(probe)], capture_output=True).returncode:
        print("not tried: a full disk (mounting a small tmpfs needs root)")
        return False
    subprocess.run(["umount", str(probe)], check=True)
    return True


def check_the_checker(folder, base):
    """Logs with a fault must be refused: a lost record, a repeated one, one that no runner made, work done again."""
    run = Run(folder / "checker", random.Random(1), nap=0)
    run.launch()
    run.wait()
    run.finish(base)
    log, journal = run.log.read_text(), next(run.out.glob("journal-*.jsonl"))
    lines = journal.read_bytes().splitlines(keepends=True)
    unit = next(i for i, line in enumerate(lines) if b'"kind":"unit"' in line)
    starts = [line for line in log.splitlines() if '"start"' in line]
    again = json.dumps({**json.loads(starts[0]), "time": time.monotonic(), "process": 1})
    faults = {
        "a lost record": (lines[:unit] + lines[unit + 1:], log),
        "a repeated record": (lines + [lines[unit]], log),
        "a record that no runner made": (lines, "".join(l + "\n" for l in log.splitlines() if json.loads(starts[0])["point"] != json.loads(l)["point"])),
        "work done again": (lines, log + again + "\n"),
    }
    for name, (records, text) in faults.items():
        journal.write_bytes(b"".join(records))
        run.log.write_text(text)
        result = subprocess.run([sys.executable, chaos_check.__file__, run.log, run.out, str(UNITS)], capture_output=True)
        if result.returncode == 0:
            raise Failure(f"the checker does not see {name}")
    print(f"the checker sees {', '.join(faults)}")


def run_all(runs, lost_workers, seed, at_once):
    """`runs` sweeps over all kinds and failpoints in turn; then `lost_workers` in which a worker is killed or stopped."""
    if shutil.which("mpirun") is None:
        print("FAILED: mpirun is missing" if os.environ.get("CI") else "SKIPPED: mpirun is missing")
        sys.exit(1 if os.environ.get("CI") else 0)
    print(f"seed {seed}")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        names = failpoint_names()
        kinds = [f"failpoint {point}" for point in names] + [*RESTARTED, *SAME_JOB]
        if can_mount(folder):
            kinds += list(FULL_DISK)
        order = list(range(runs))
        rng = random.Random(seed)
        # Failpoints are all met in any number of runs that has room for them; what else there is, as chance has it.
        plan = kinds[:len(names)] + rng.sample(kinds[len(names):], len(kinds) - len(names))
        work = [plan[i % len(plan)] for i in order]
        work += [("worker killed", "worker stopped")[i % 2] for i in range(lost_workers)]
        try:
            base = undisturbed(folder)
            check_the_checker(folder, base)
            with ThreadPoolExecutor(at_once) as pool:
                hits = list(pool.map(lambda item: one(folder, item[0], item[1], seed, base), enumerate(work)))
        except Failure as failure:
            print("FAILED:", failure, flush=True)
            sys.exit(1)
        met = {point: sum(point in hit for hit in hits) for point in names}
        print("failpoints met:", ", ".join(f"{point} in {count} runs" for point, count in met.items()))
        if runs >= len(names) and min(met.values()) == 0:
            print("FAILED: a failpoint was never met: this test could not fail there")
            sys.exit(1)
        print(f"{len(work)} disturbed sweeps of {UNITS} units: each ended with the undisturbed bytes")
