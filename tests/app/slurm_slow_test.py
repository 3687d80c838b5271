"""Sweeps under a real Slurm: shards over two nodes, a time limit, a lost worker node, a lost first node, srun with a lost
rank, jobs without a record, cancelling. Each ends with the database of an undisturbed run, byte for byte."""

import json
import os
import signal
import subprocess
import time
import zlib
from pathlib import Path

import crossgrid_runs as runs
import slurm_cluster

TO_BE_CONTINUED = 75
IMAGES, CHIPS = runs.SWEEP["dataset"]["images"]["count"], 48
RUN_FLAGS = ["--", "--threads", "1", "--unit-images", "25"]
UNITS = CHIPS * 9  # images 5 to 204, cut at multiples of 25


class Sweep:
    """A submitted sweep, whose units take `seconds` each."""

    def __init__(self, cluster, name, seconds, *words, launcher="mpirun", failpoints="", **fields):
        self.cluster = cluster
        self.out = cluster.folder / name
        armed = ";".join([*([failpoints] if failpoints else []), f"executor.after_start=delay({round(1000 * seconds)})"])
        profile = cluster.folder / "profile.json"
        profile.write_text(json.dumps({"setup": [f"export CROSSGRID_FAILPOINTS='{armed}'"], "launcher": launcher, **fields}))
        self.words = [runs.write_sweep(cluster.folder), "-o", self.out, "--profile", profile, *words, *RUN_FLAGS]
        self.submit()

    def submit(self):
        self.crossgrid("submit", *self.words)
        jobs = json.loads((self.out / "slurm/jobs.json").read_text())
        self.job, self.gather = jobs["sweep"], jobs["gather"]

    def crossgrid(self, *words, expect=0):
        result = subprocess.run([runs.BINARY, *map(str, words)], env=self.cluster.environment(), text=True,
                                capture_output=True, timeout=60)
        if result.returncode != expect:
            self.fail(f"{words}: exit code {result.returncode}, expected {expect}\n{result.stdout}{result.stderr}")
        return result.stdout

    def units(self):
        return runs.units_recorded(self.out)

    def wait_for_units(self, count):
        self.cluster.wait_for(f"{self.out.name}: {count} units", 120, lambda: self.units() >= count)

    def logs(self):
        return "\n".join(path.read_text() for path in sorted((self.out / "slurm").glob("*.log")))

    def wait_for_end(self, seconds=240):
        """Until neither the job nor the one that gathers is queued."""
        ended = lambda: not any(job.split("_")[0] in (self.job, self.gather) for job in self.cluster.jobs())
        self.cluster.wait_for(f"{self.out.name}: the end of its jobs", seconds, ended)

    def check(self, base, what, jobs_at_least=1):
        self.wait_for_end()
        if not (self.out / "points.jsonl").exists() or runs.points(self.out) != base:
            self.fail(f"{what}: not the database of an undisturbed run")
        runs.check_exactly_once(self.out, IMAGES, CHIPS)
        headers = sum(1 for record in runs.journal_lines(self.out) if record.get("kind") == "header")
        if headers < jobs_at_least:
            self.fail(f"{what}: {headers} runs, expected {jobs_at_least} or more: this test could not fail")
        if f"{UNITS}, each recorded once" not in self.logs():
            self.fail(f"{what}: the dependent job did not gather")
        print(f"{what}: {headers} runs, the same database, {time.monotonic() - BEGAN:.0f} s so far")

    def fail(self, message):
        print(self.logs() if self.out.exists() else "")
        self.cluster.fail(message)


def processes(*parts):
    """Ids of processes whose command line has all of these words."""
    found = []
    for entry in Path("/proc").iterdir():
        try:
            words = (entry / "cmdline").read_bytes().decode(errors="replace").split("\0")
        except OSError:
            continue
        if all(str(part) in words for part in parts):
            found.append(int(entry.name))
    return found


def shards(cluster, base):
    sweep = Sweep(cluster, "it's $(odd) \"50%\"", 0.05, "--shards", 3)
    sweep.wait_for_units(10)
    text = sweep.crossgrid("status", sweep.out)
    if "running on node" not in text or "submitted as job" not in text:
        sweep.fail(f"status while shards run:\n{text}")
    sweep.crossgrid("submit", *sweep.words, expect=5)
    sweep.check(base, "three shards", 3)
    if len(list((sweep.out / "slurm").glob("test-*_[123].log"))) != 3 or not (sweep.out / "top1.png").exists():
        if "not drawn" not in sweep.logs():
            sweep.fail("not a log per shard, or nothing drawn")


def time_limit(cluster, base):
    """The limit is a minute: Slurm warns, the job stops in order and queues itself again."""
    sweep = Sweep(cluster, "limit", 0.15, time="1", warning_seconds=35, nodes=2)
    sweep.check(base, "time limit", 2)
    if "work is left: queued again" not in sweep.logs() or "DUE TO TIME LIMIT" in sweep.logs():
        sweep.fail("the job was not stopped by its warning")


def lost_worker_node(cluster, base):
    """mpirun --enable-recovery: the loss of a worker's node costs a lease, or the job is queued again."""
    sweep = Sweep(cluster, "worker-node", 0.15, nodes=2)
    sweep.wait_for_units(40)
    host = next(record["host"] for record in runs.journal_lines(sweep.out) if record.get("kind") == "owner")
    other = next(node for node in slurm_cluster.NODES if node != host)
    if cluster.lose_node(other) < 2:
        sweep.fail(f"nothing ran on {other}")
    cluster.wait_for(f"{other} down", 60, lambda: "down" in cluster.ask("sinfo", "-h", "-N", "-n", other, "-o", "%T"))
    cluster.start_node(other)
    sweep.check(base, "a lost worker node")


def lost_first_node(cluster, base):
    sweep = Sweep(cluster, "first-node", 0.15, nodes=1)
    sweep.wait_for_units(40)
    host = next(record["host"] for record in runs.journal_lines(sweep.out) if record.get("kind") == "owner")
    cluster.lose_node(host)
    lost_at = sweep.units()
    cluster.wait_for(f"{host} down", 60, lambda: "down" in cluster.ask("sinfo", "-h", "-N", "-n", host, "-o", "%T"))
    if lost_at >= UNITS:
        sweep.fail("all was done before the node was lost")
    sweep.check(base, "a lost first node", 2)
    cluster.start_node(host)


def lost_rank_of_srun(cluster, base):
    """With srun a lost rank ends the step; the next job continues."""
    sweep = Sweep(cluster, "srun", 0.05, launcher="srun")
    sweep.wait_for_units(20)
    ranks = [pid for pid in processes(runs.BINARY, "run", str(sweep.out)) if not is_srun(pid)]
    os.kill(ranks[-1], signal.SIGKILL)
    sweep.check(base, "a lost rank under srun", 2)
    if "work is left: queued again" not in sweep.logs():
        sweep.fail("it was not queued again")


def is_srun(pid):
    return Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")[0] == b"srun"


def jobs_without_a_record(cluster, _):
    sweep = Sweep(cluster, "idle", 0, failpoints="scheduler.before_append=kill")
    sweep.wait_for_end()
    text = sweep.logs()
    if text.count("work is left: queued again") != 2 or "stopped: 3 jobs in a row brought no new record" not in text:
        sweep.fail("not stopped after three jobs without a record")
    sweep.crossgrid("status", "--check", sweep.out, expect=TO_BE_CONTINUED)
    print(f"three jobs without a record: stopped, {time.monotonic() - BEGAN:.0f} s so far")


def cancelled(cluster, base):
    sweep = Sweep(cluster, "cancelled", 0.05, nodes=2)
    sweep.wait_for_units(20)
    text = sweep.crossgrid("cancel", sweep.out)
    if f"cancelled: job" not in text:
        sweep.fail(text)
    sweep.wait_for_end(60)
    time.sleep(7)  # a job that is queued again would start within these
    if cluster.jobs() or processes(runs.BINARY, "run", str(sweep.out)):
        sweep.fail("something runs after 'cancel'")
    if sweep.units() >= UNITS:
        sweep.fail("all was done before 'cancel'")
    sweep.submit()
    sweep.check(base, "cancelled and submitted again", 2)


BEGAN = time.monotonic()


def main():
    slurm_cluster.in_own_namespace()
    with slurm_cluster.Cluster() as cluster:
        print(f"two nodes are up after {time.monotonic() - BEGAN:.0f} s")
        base_folder = cluster.folder / "base"
        runs.run(runs.write_sweep(cluster.folder), base_folder, *RUN_FLAGS[1:])
        base = runs.points(base_folder)
        tests = [shards, lost_rank_of_srun, cancelled, time_limit, lost_worker_node, lost_first_node, jobs_without_a_record]
        sample = os.environ.get("CROSSGRID_SLOW_SAMPLE")
        if sample:
            short = tests[:3]
            tests = [short[zlib.crc32(sample.encode()) % len(short)]]
        for test in tests:
            test(cluster, base)


main()
