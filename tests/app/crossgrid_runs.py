"""Runs the crossgrid program for tests and reads what it wrote, without its help: own checksum, own counting."""

import json
import os
import shutil
import subprocess
import sys
import zlib
from collections import defaultdict
from pathlib import Path

SOURCE = Path(os.environ.get("CROSSGRID_SOURCE", Path(__file__).resolve().parents[2]))
BINARY = os.environ.get("CROSSGRID_BINARY", str(SOURCE / "build/release/crossgrid"))

USAGE, BAD_INPUT, BUSY, STORAGE, CONFLICT = 2, 4, 5, 6, 7  # docs/exit-codes.md

# A sweep in which every kind of random draw and every converter has a part, small enough for a test.
SWEEP = {
    "name": "test",
    "network": str(SOURCE / "data/digits-cnn.json"),
    "dataset": {"path": str(SOURCE / "data/digits"), "split": "test", "images": {"first": 5, "count": 200}},
    "calibration": {"split": "train", "images": {"first": 0, "count": 64}},
    "hardware": {
        "core": {"style": "balanced", "weight_bits": 8},
        "array": {"rows_max": 64},
        "device": {
            "on_off_ratio": 100,
            "programming_error": {"model": "normal_proportional", "magnitude": 0.1},
            "read_noise": {"model": "normal_independent", "magnitude": 0.01, "sampling": "lumped"},
        },
        "dac": {"model": "quantizer", "bits": 8},
        "adc": {"model": "quantizer", "bits": 7},
    },
    "grid": {
        "core.style": ["balanced", "offset"],
        "device.programming_error.magnitude": [0.0, 0.1],
        "adc.bits": [5, 6, 7, 8],
    },
    "trials": 3,
    "seed": 7,
    "metrics": ["top1", "loss", "layer_error"],
}


def write_sweep(folder, **changes):
    """A sweep file in `folder`; changes are top-level keys."""
    path = Path(folder) / "sweep.json"
    path.write_text(json.dumps({**SWEEP, **changes}))
    return path


def environment(**extra):
    return {**os.environ, "OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1", **extra}


def command(sweep, out, *flags, ranks=0):
    launcher = []
    if ranks:
        launcher = ["mpirun", "-np", str(ranks), "--oversubscribe", "--bind-to", "none", "--enable-recovery"]
    return [*launcher, BINARY, "run", str(sweep), "-o", str(out), "--quiet", *flags]


def run(sweep, out, *flags, ranks=0, env=None, check=True, timeout=600):
    result = subprocess.run(command(sweep, out, *flags, ranks=ranks), env=environment(**(env or {})), text=True,
                            capture_output=True, timeout=timeout)
    if check and result.returncode != 0:
        fail(f"exit code {result.returncode} of {result.args}\n{result.stdout}\n{result.stderr}")
    return result


def points(out):
    return (Path(out) / "points.jsonl").read_bytes()


def journal_lines(out):
    """All lines of the journal whose checksum holds, as objects. (docs/journal-format.md)"""
    for segment in sorted(Path(out).glob("journal-*.jsonl")):
        for line in segment.read_bytes().split(b"\n"):
            if not line.startswith(b'{"crc":"') or len(line) < 19:
                continue
            rest = line[len('{"crc":"xxxxxxxx",'):]
            if int(line[8:16], 16) == zlib.crc32(rest):
                yield json.loads(line)


def check_exactly_once(out, units_per_chip_images, chips):
    """Every image of every chip exactly once in the journal: nothing lost, nothing done twice."""
    covered = defaultdict(list)
    for record in journal_lines(out):
        if "trial" in record:
            covered[record["point"], record["trial"]].append((record["first"], record["count"]))
    if len(covered) != chips:
        fail(f"{len(covered)} chips in the journal, expected {chips}")
    for chip, spans in covered.items():
        spans.sort()
        if sum(count for _, count in spans) != units_per_chip_images:
            fail(f"chip {chip}: images {spans} add up to {sum(c for _, c in spans)}, expected {units_per_chip_images}")
        for (first, count), (following, _) in zip(spans, spans[1:]):
            if first + count > following:
                fail(f"chip {chip}: images from {following} are there twice")


def units_recorded(out):
    return sum(1 for record in journal_lines(out) if "trial" in record)


def need_mpirun():
    if shutil.which("mpirun") is None:
        if os.environ.get("CI"):
            fail("mpirun is missing")
        print("SKIPPED: mpirun is missing")
        sys.exit(0)


def expect(name, result, code, *parts):
    """One error message of `parts`, with this exit code."""
    text = result.stderr
    if result.returncode != code:
        fail(f"{name}: exit code {result.returncode}, expected {code}\n{result.stdout}\n{text}")
    if text.count("error: ") != 1:
        fail(f"{name}: expected one error message, found:\n{text}")
    for part in parts:
        if part not in text:
            fail(f"{name}: the message lacks '{part}':\n{text}")
    print(f"{name}: {text.strip().splitlines()[0]}")


def fail(message):
    print("FAILED:", message)
    sys.exit(1)
