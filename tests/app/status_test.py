"""`status` says the same from status.json and by counting the journal: of sweeps that are done, have failed units, go on,
decide in rounds, or run in shards. From the file it needs neither the network nor the images. A large sweep's is shown
with its age where records came after it, but never to --check."""

import contextlib
import os
import re
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path

import crossgrid_runs as runs

FLAGS = ["--threads", "1", "--unit-images", "100"]
DONE, TO_BE_CONTINUED = 0, 75
LARGE = 24_000  # points: not counted at once


def status(out, *flags, code=DONE):
    result = subprocess.run([runs.BINARY, "status", str(out), *flags], text=True, capture_output=True,
                            env=runs.environment())
    if result.returncode != code:
        runs.fail(f"status {flags}: exit code {result.returncode}, expected {code}\n{result.stdout}{result.stderr}")
    return result.stdout


def steady(text):
    """Without what changes from second to second while a run goes on."""
    return re.sub(r"rate .*|last sign .*", "", text)


class Hidden:
    """The network is not there."""

    def __init__(self, network):
        self.network, self.away = network, network.with_suffix(".away")

    def __enter__(self):
        self.network.rename(self.away)

    def __exit__(self, *_):
        self.away.rename(self.network)


def both_ways(what, network, out, *parts, flags=(), code=DONE):
    """From the file, while the network is away (None: a run needs it), then counted: the file holds nothing, and as much
    of it, since the folder's size is told too."""
    file = out / "status.json"
    kept = file.read_bytes()
    with Hidden(network) if network else contextlib.nullcontext():
        known = status(out, *flags, code=code)
    file.write_bytes(b" " * len(kept))
    counted = status(out, *flags, code=code)
    if network:
        with Hidden(network):
            status(out, *flags, code=runs.BAD_INPUT)
    file.write_bytes(kept)
    if steady(known) != steady(counted):
        runs.fail(f"{what}: from the file\n{known}counted\n{counted}")
    for part in parts:
        if part not in known:
            runs.fail(f"{what}: '{part}' is missing in\n{known}")
    print(f"{what}: the same both ways")


def wait_for(what, condition):
    deadline = time.monotonic() + 60
    while not condition():
        if time.monotonic() > deadline:
            runs.fail(f"{what}: nothing after 60 s")
        time.sleep(0.01)


def done_and_failed(folder, network):
    sweep = runs.write_sweep(folder, network=str(network), grid={"adc.bits": [6, 7]}, trials=2,
                             expected=[{"where": {"adc.bits": 7}, "metric": "top1.mean", "value": 0.9, "tolerance": 1,
                                        "source": "none"}])
    out = folder / "done it's"  # a folder that a shell must have in quotes
    deadly = {"CROSSGRID_FAILPOINTS": "executor.before_result=kill"}
    result = runs.run(sweep, out, *FLAGS, env=deadly, check=False)
    if result.returncode != 3:
        runs.fail(f"a run of failing units: exit code {result.returncode}\n{result.stderr}")
    both_ways("failed", network, out, "points    0 of 2 done (0.0 %), 2 failed, 0 begun, 0 pending", "[signal 9]",
              "chips     0 of 4 done, 4 failed", "and 2 more failed units", "0 met, 0 missed, 1 without all results",
              "replay '", "measured  12 units")
    both_ways("failed, --check", network, out, flags=["--check"], code=3)
    runs.run(sweep, out, *FLAGS, "--retry-failed")
    both_ways("done", network, out, "points    2 of 2 done (100.0 %), 0 failed, 0 begun, 0 pending",
              "chips     4 of 4 done, 0 failed", "1 met, 0 missed, 0 without", "run       not running")
    both_ways("done, --check", network, out, flags=["--check"])
    mode = lambda name: (out / name).stat().st_mode
    if mode("status.json") != mode("summary.json"):
        runs.fail("status.json may be read by others than the rest")


def going_on(folder, network):
    sweep = runs.write_sweep(folder, network=str(network), grid={"adc.bits": [6, 7]}, trials=2)
    out = folder / "going"
    deadly = {"CROSSGRID_FAILPOINTS": "executor.before_result=kill@3"}
    runs.run(sweep, out, *FLAGS, "--retries", "0", env=deadly, check=False)
    hanging = {"CROSSGRID_FAILPOINTS": "executor.after_start=hang"}
    job = subprocess.Popen(runs.command(sweep, out, *FLAGS, "--retry-failed"), env=runs.environment(**hanging),
                           stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)
    try:
        wait_for("a second run", lambda: sum(r["kind"] == "account" for r in runs.journal_lines(out)) == 3)
        both_ways("going on", None, out, "run       running on ", "failed    point")
    finally:
        os.killpg(job.pid, signal.SIGKILL)
        job.wait()
    both_ways("killed", network, out, "run       ended without a word: on ")


def in_rounds(folder, network):
    sweep = runs.write_sweep(folder, network=str(network), trials=4, grid={"adc.bits": [4, 5, 6]},
                             rounds={"metric": "top1", "first": 2, "keep_best": 0.5})
    runs.run(sweep, folder / "rounds", *FLAGS)
    both_ways("in rounds", network, folder / "rounds", "points    3 of 3 done", "round     2 of at most 2, the last")


def in_shards(folder, network):
    sweep = runs.write_sweep(folder, network=str(network), grid={"adc.bits": [6, 7]})
    out = folder / "shards"
    for number in (1, 2):
        runs.run(sweep, out, *FLAGS, "--shard", f"{number}/2")
    both_ways("after the last shard", network, out, "points    2 of 2 done", "shard 1/2 3 of 3 chips done",
              "shard 2/2 3 of 3 chips done")
    both_ways("a shard, --check", network, out, flags=["--check", "--shard", "1/2"])
    (out / "status.json").unlink()
    subprocess.run([runs.BINARY, "gather", str(out)], check=True, stdout=subprocess.DEVNULL, env=runs.environment())
    both_ways("gathered", network, out, "points    2 of 2 done", "shard 1/2 3 of 3 chips done")
    # Of other shards it says nothing: they are counted.
    status(out, "--check", "--shard", "2/3")
    with Hidden(network):
        status(out, "--check", "--shard", "2/3", code=runs.BAD_INPUT)


def large(folder, network):
    """Stopped early; then a record more."""
    images = {"path": str(runs.SOURCE / "data/digits"), "split": "test", "images": {"first": 0, "count": 1}}
    sweep = runs.write_sweep(folder, network=str(network), dataset=images, trials=1, metrics=["top1"], grid={
        "adc.bits": [5, 6, 7, 8], "device.programming_error.magnitude": {"from": 0.001, "to": 0.1, "count": LARGE // 4}})
    out = folder / "large"
    job = subprocess.Popen(runs.command(sweep, out, "--threads", "1"), env=runs.environment(), stderr=subprocess.DEVNULL)
    wait_for("a large sweep", lambda: out.exists() and runs.units_recorded(out) > 50)
    job.send_signal(signal.SIGINT)
    if job.wait(timeout=60) != TO_BE_CONTINUED:
        runs.fail(f"a stopped run: exit code {job.returncode}")
    units = runs.units_recorded(out)
    if units == LARGE:
        runs.fail("nothing is left of a large sweep: this test could not fail")
    both_ways("stopped", network, out, f"chips     {units:,} of {LARGE:,} done", flags=[])
    journal = out / "journal-000001.jsonl"
    lines = journal.read_bytes().splitlines(keepends=True)
    unit = next(line for line in lines if b'"kind":"unit"' in line)
    with journal.open("ab") as file:  # of a run that is killed after it
        file.write(unit)
    with Hidden(network):
        text = status(out)
        status(out, "--check", code=runs.BAD_INPUT)
    if not re.search(r"^counted   .* ago; 0\.0 MB of records since are not in it$", text, re.MULTILINE):
        runs.fail(f"a state that is not of now does not say so:\n{text}")
    status(out, "--check", code=TO_BE_CONTINUED)
    (out / "status.json").unlink()
    text = status(out)
    if "counted   " in text or f"chips     {units:,} of {LARGE:,} done" not in text:
        runs.fail(f"counted at once:\n{text}")
    print(f"large, stopped after {units} units: its age is told, --check counts")


def another_sweep(folder, network):
    """A file that was copied along is not believed."""
    out, other = folder / "one", folder / "other"
    runs.run(runs.write_sweep(folder, network=str(network), grid={"adc.bits": [6, 7]}, trials=1), out, *FLAGS)
    runs.run(runs.write_sweep(folder, network=str(network), grid={"adc.bits": [6, 7, 8]}, trials=1), other, *FLAGS)
    shutil.copy(other / "status.json", out / "status.json")
    if "points    2 of 2 done" not in status(out):
        runs.fail(f"another sweep's file is believed:\n{status(out)}")


def main():
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        network = folder / "network.json"
        shutil.copy(runs.SOURCE / "data/digits-cnn.json", network)
        for check in (done_and_failed, going_on, in_rounds, in_shards, large, another_sweep):
            check(folder, network)


main()
