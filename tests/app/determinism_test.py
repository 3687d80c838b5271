"""The database is the same to the byte for any number of ranks and threads, any unit size, from a moved folder;
natively and under DNNL_MAX_CPU_ISA=AVX2 (each compared with itself). Other seeds give another database. A point that
two grids share is the same in both."""

import json
import shutil
import tempfile
from pathlib import Path

import crossgrid_runs as runs


def variants():
    yield "2 threads", dict(flags=["--threads", "2"])
    yield "3 threads", dict(flags=["--threads", "3"])
    yield "units of 37 images", dict(flags=["--unit-images", "37", "--threads", "2"])
    yield "units of 64 images", dict(flags=["--unit-images", "64", "--threads", "1"])
    for ranks in (1, 2, 3, 5):
        yield f"{ranks} ranks", dict(ranks=ranks, flags=["--threads", "1", "--unit-images", "100"])


def check_class(folder, env):
    sweep = runs.write_sweep(folder)
    runs.run(sweep, folder / "base", "--threads", "1", env=env)
    base = runs.points(folder / "base")
    for number, (name, how) in enumerate(variants()):
        out = folder / f"variant-{number}"
        runs.run(sweep, out, *how["flags"], ranks=how.get("ranks", 0), env=env)
        if runs.points(out) != base:
            runs.fail(f"{name}: other results than 1 thread ({env})")
        print(f"{name}: {len(base)} equal bytes")
    return base


def lines_by_id(text):
    lines = [json.loads(line) for line in text.splitlines()]
    return {line["point"]: {name: value for name, value in line.items() if name != "index"} for line in lines}


def check_other_grid(folder, base):
    """Points at other places of another grid."""
    grid = {"core.style": ["offset"], "device.programming_error.magnitude": [0.2, 0.1], "adc.bits": [8, 6]}
    runs.run(runs.write_sweep(folder, grid=grid), folder / "other-grid", "--threads", "2")
    old, new = lines_by_id(base), lines_by_id(runs.points(folder / "other-grid"))
    shared = old.keys() & new.keys()
    if len(shared) != 2:
        runs.fail(f"{len(shared)} points are in both grids, expected 2")
    for point in shared:
        if old[point] != new[point]:
            runs.fail(f"a point differs between two grids:\n{old[point]}\n{new[point]}")
    print("another grid: equal lines of the 2 points that both have")


def main():
    runs.need_mpirun()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "native").mkdir()
        (folder / "avx2").mkdir()
        base = check_class(folder / "native", {})
        check_class(folder / "avx2", {"DNNL_MAX_CPU_ISA": "AVX2"})

        check_other_grid(folder / "native", base)

        moved = folder / "moved"
        shutil.copytree(runs.SOURCE / "data/digits", moved / "data/digits")
        shutil.copy(runs.SOURCE / "data/digits-cnn.json", moved / "data/")
        dataset = {**runs.SWEEP["dataset"], "path": "data/digits"}
        sweep = runs.write_sweep(moved, network="data/digits-cnn.json", dataset=dataset)
        runs.run(sweep, moved / "out", "--threads", "2")
        if runs.points(moved / "out") != base:
            runs.fail("a moved folder gives other results")
        print("moved folder: equal")

        runs.run(runs.write_sweep(folder / "native", seed=8), folder / "other-seed", "--threads", "2")
        if runs.points(folder / "other-seed") == base:
            runs.fail("another seed gave the same results: this test could not fail")
        print("another seed: other results, as it must be")


main()
