"""A worker whose host can't compute in the sweep's numeric class is refused, with both classes named, and the sweep goes on
without it; one that computes better pins itself to the class. The results are those of the class either way."""

import subprocess
import tempfile
from pathlib import Path

import crossgrid_runs as runs

FLAGS = ["--threads", "1", "--unit-images", "100"]
WORSE = ["-x", "DNNL_MAX_CPU_ISA=AVX2"]


def mixed(sweep, out, first, rest):
    """A run of one rank 0 and worker 1 with the words `first`, and a worker 2 with the words `rest`."""
    program = [runs.BINARY, "run", str(sweep), "-o", str(out), "--quiet", *FLAGS]
    words = ["mpirun", "--oversubscribe", "--bind-to", "none", "--enable-recovery", "-np", "2", *first, *program, ":", "-np",
             "1", *rest, *program]
    return subprocess.run(words, env=runs.environment(), text=True, capture_output=True, timeout=300)


def numeric_class(**environment):
    text = subprocess.run([runs.BINARY, "info"], env=runs.environment(**environment), text=True, capture_output=True).stdout
    return next(line.removeprefix("numeric class: ") for line in text.splitlines() if line.startswith("numeric class: "))


def expect(what, result, out, base):
    if result.returncode != 0 or runs.points(out) != base:
        runs.fail(f"{what}: exit code {result.returncode}, or other results than the class has\n{result.stderr}")
    print(f"{what}: the results of the class")


def main():
    runs.need_mpirun()
    best, worse = numeric_class(), numeric_class(DNNL_MAX_CPU_ISA="AVX2")
    if best == worse:
        print(f"SKIPPED: this host has one numeric class only, {best}")
        return
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        # So much that the unfit worker has said so before all is done.
        sweep = runs.write_sweep(folder, trials=10)
        runs.run(sweep, folder / "best", *FLAGS)
        runs.run(sweep, folder / "worse", *FLAGS, env={"DNNL_MAX_CPU_ISA": "AVX2"})

        result = mixed(sweep, folder / "unfit", [], WORSE)
        expect("an unfit worker", result, folder / "unfit", runs.points(folder / "best"))
        for part in ("worker 2", "gives up", best, "avx2"):
            if part not in result.stderr:
                runs.fail(f"an unfit worker: '{part}' is not in\n{result.stderr}")
        expect("a worker that can do more", mixed(sweep, folder / "pinned", WORSE, []), folder / "pinned",
               runs.points(folder / "worse"))


main()
