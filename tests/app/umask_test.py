"""Whatever a sweep leaves has the permissions that the user's umask gives: private ones stay private, a group's are shared."""

import os
import subprocess
import tempfile
from pathlib import Path

import crossgrid_runs as runs


def crossgrid(umask, *words, code=0, **extra):
    result = subprocess.run([runs.BINARY, *map(str, words)], text=True, capture_output=True, umask=umask,
                            env=runs.environment(**extra))
    if result.returncode != code:
        runs.fail(f"{words}: exit code {result.returncode}, expected {code}\n{result.stdout}{result.stderr}")


def check(base, umask):
    folder = base / f"{umask:03o}"
    folder.mkdir(mode=0o777)
    sweep = runs.write_sweep(base, grid={"adc.bits": [6, 7]}, trials=1)
    out, ranges = folder / "out", folder / "ranges.json"
    crossgrid(umask, "run", sweep, "-o", out, "--shard", "1/2", "--quiet")
    crossgrid(umask, "run", sweep, "-o", out, "--shard", "2/2", "--quiet")
    crossgrid(umask, "gather", out)
    crossgrid(umask, "report", out)
    crossgrid(umask, "calibrate", sweep, "-o", ranges)
    crossgrid(umask, "submit", sweep, "-o", out, code=runs.BAD_INPUT, PATH="/nonexistent")  # its scripts are written
    names = set()
    for path in folder.rglob("*"):
        names.add(path.name)
        wanted = (0o777 if path.is_dir() else 0o666) & ~umask
        found = path.stat().st_mode & 0o777
        if found != wanted:
            runs.fail(f"umask {umask:03o}: {path} has {found:03o}, expected {wanted:03o}")
    for name in ("points.jsonl", "points.meta.json", "summary.json", "status.json", "sweep.json", "report.html", "ranges.json",
                 "job.sh", "gather.sh"):
        if name not in names:
            runs.fail(f"{name} was not written: {sorted(names)}")
    if sum(name.startswith("journal-") and name.endswith(".jsonl") for name in names) != 2:
        runs.fail(f"expected two journals: {sorted(names)}")
    print(f"umask {umask:03o}: {len(names)} files as it says")


def main():
    before = os.umask(0)  # the folders in between
    with tempfile.TemporaryDirectory() as name:
        for umask in (0o077, 0o027, 0o002):
            check(Path(name), umask)
    os.umask(before)


main()
