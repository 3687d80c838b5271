"""A run that is stopped by a signal says with its exit code and its last line how to go on: the printed command, pasted
into a shell, finishes to the bytes of an undisturbed run. Also without -o, and where words need quotes."""

import os
import signal
import subprocess
import tempfile
import time
from pathlib import Path

import crossgrid_runs as runs

TO_BE_CONTINUED = 75
FLAGS = ["--threads", "1", "--unit-images", "100"]


def stopped(folder, words):
    """What a run prints that gets SIGTERM after some of its units, each of them 0.05 s long."""
    text = folder / "stdout"
    slow = runs.environment(CROSSGRID_FAILPOINTS="executor.after_start=delay(50)")
    with open(text, "w") as stdout:
        job = subprocess.Popen([runs.BINARY, "run", *words], cwd=folder, env=slow, stdout=stdout, text=True,
                               stderr=subprocess.PIPE)
    deadline = time.monotonic() + 60
    while sum(runs.units_recorded(journal.parent) for journal in folder.rglob("journal-*.jsonl")) < 3:
        if job.poll() is not None or time.monotonic() > deadline:
            job.kill()
            runs.fail(f"{words}: no units before it ended: {job.stderr.read()}")
        time.sleep(0.01)
    announced = text.read_text()
    job.send_signal(signal.SIGTERM)
    if job.wait(timeout=60) != TO_BE_CONTINUED:
        runs.fail(f"{words}: exit code {job.returncode} after SIGTERM, expected {TO_BE_CONTINUED}: {job.stderr.read()}")
    return announced, text.read_text()


def status(folder, out):
    words = [runs.BINARY, "status", out, "--check"]
    return subprocess.run(words, cwd=folder, env=runs.environment(), capture_output=True).returncode


def check(folder, base, out, *flags):
    """out: the folder that the run is expected to write, relative to its working directory."""
    folder.mkdir()
    runs.write_sweep(folder)
    announced, text = stopped(folder, ["sweep.json", *FLAGS, *flags])
    for part in ("test: 16 points (0 equal to another), 144 units, 200 test images", "predicted time", f" in {out}\n"):
        if part not in announced:
            runs.fail(f"{flags}: '{part}' was not printed before the start:\n{announced}")
    if status(folder, out) != TO_BE_CONTINUED:
        runs.fail(f"{flags}: status --check of a stopped run is {status(folder, out)}, expected {TO_BE_CONTINUED}")
    begun = runs.units_recorded(folder / out)
    again = [line for line in text.splitlines() if line.startswith("to continue: crossgrid run ")]
    if len(again) != 1:
        runs.fail(f"{flags}: no command to continue with in:\n{text}")
    path = f"{Path(runs.BINARY).parent}:{os.environ['PATH']}"
    result = subprocess.run(again[0].removeprefix("to continue: "), shell=True, cwd=folder, text=True,
                            capture_output=True, env=runs.environment(PATH=path))
    if result.returncode != 0:
        runs.fail(f"{again[0]}\n{result.stdout}{result.stderr}")
    if runs.points(folder / out) != base:
        runs.fail(f"{flags}: continued to other bytes than an undisturbed run")
    if status(folder, out) != 0:
        runs.fail(f"{flags}: status --check of a finished run is {status(folder, out)}")
    print(f"{again[0]}: from {begun} units to the same bytes")


def main():
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        runs.run(runs.write_sweep(folder), folder / "base")
        base = runs.points(folder / "base")
        check(folder / "a", base, "results/test")
        check(folder / "b", base, "two words", "-o", "two words")
        check(folder / "c", base, "it's $HOME", "-o", "it's $HOME", "--set", "seed=7")


main()
