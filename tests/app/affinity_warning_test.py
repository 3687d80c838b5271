"""A run says so where its threads have less than a core each, and names mpirun only where there is one."""

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

import crossgrid_runs as runs

WARNING = "executors may use only 1 core where 2 threads are wanted"


def errors_of(words):
    result = subprocess.run(words, text=True, capture_output=True, env=runs.environment(), timeout=300)
    if result.returncode != 0:
        runs.fail(f"{words}: exit code {result.returncode}\n{result.stderr}")
    return result.stderr


def main():
    runs.need_mpirun()
    core = str(min(os.sched_getaffinity(0)))
    pin = ["taskset", "-c", core]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        sweep = runs.write_sweep(folder, grid={}, trials=1)

        def warned(title, launcher, *flags):
            out = folder / title.replace(" ", "-")
            text = errors_of([*launcher, runs.BINARY, "run", str(sweep), "-o", str(out), *flags])
            print(f"{title}: {text.strip() or 'no warning'}")
            return text

        text = warned("one core, two threads", pin, "--threads", "2")
        if text.count(WARNING) != 1 or "mpirun" in text:
            runs.fail("expected a warning that does not blame mpirun")
        if "executors may use" in warned("one core, one thread", pin, "--threads", "1"):
            runs.fail("a warning where nothing is wrong")
        if "executors may use" in warned("as many threads as cores", []):
            runs.fail("a warning where nothing is wrong")
        bound = ["mpirun", "-np", "2", "--oversubscribe", "--bind-to", "core:overload-allowed"]
        text = warned("ranks bound to cores", bound, "--threads", "2")
        if WARNING not in text or "--bind-to none" not in text:
            runs.fail("expected a warning that says what to tell mpirun")


if shutil.which("taskset") is None:
    runs.fail("taskset is missing")
main()
