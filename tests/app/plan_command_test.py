"""`plan` counts points, equal ones, chips and units as a run of the same sweep does. One point is no points."""

import json
import subprocess
import tempfile
from pathlib import Path

import crossgrid_runs as runs


def lines_of(command, sweep, *flags):
    words = [runs.BINARY, command, str(sweep), *flags]
    result = subprocess.run(words, text=True, capture_output=True, env=runs.environment())
    if result.returncode != 0:
        runs.fail(f"{words}: exit code {result.returncode}\n{result.stderr}")
    return result.stdout.splitlines()


def check(folder, points, equal, chips, units, **changes):
    folder.mkdir()
    sweep = runs.write_sweep(folder, **changes)
    plan = {line.split()[0]: line.split(None, 1)[1] for line in lines_of("plan", sweep)}
    for key, start in (("points", f"{points} ({equal} equal"), ("chips", f"{chips} ("), ("units", f"{units} ("),
                       ("inferences", f"{200 * chips:,} (200 images")):
        if not plan[key].startswith(start):
            runs.fail(f"{key}: found '{plan[key]}', expected '{start}'")
    announced = lines_of("run", sweep, "-o", str(folder / "out"), "--threads", "1")[0]
    if announced != f"test: {points} points ({equal} equal to another), {units} units, 200 test images":
        runs.fail(f"expected {points} points, {equal} of them equal, {units} units, but announced: {announced}")
    if runs.units_recorded(folder / "out") != units:
        runs.fail(f"{units} units were planned, but {runs.units_recorded(folder / 'out')} were run")
    print(f"{points} points, {equal} of them equal to another, {chips} chips, {units} units: planned and run")


def main():
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        hardware = json.loads(json.dumps(runs.SWEEP["hardware"]))
        hardware["device"]["read_noise"]["magnitude"] = 0.0
        # An ideal converter has no bits: of its 3 points 2 are equal to another. Without error all chips are one.
        grid = {"device.programming_error.magnitude": [0.0, 0.1], "adc.model": ["ideal", "quantizer"],
                "adc.bits": [6, 7, 8]}
        check(folder / "a", 12, 4, 4 * 1 + 4 * 5, 24, hardware=hardware, grid=grid, trials=5)
        # Few chips are cut into more units: images 5 to 127 and 128 to 204.
        check(folder / "b", 4, 1, 3, 6, grid={"adc.model": ["ideal", "quantizer"], "adc.bits": [6, 7]}, trials=1)
        good = lines_of("validate", runs.write_sweep(folder, grid={}))[0]
        if ": good: 1 point, network " not in good or ", 200 test images (" not in good:
            runs.fail(f"validate of one point: {good}")


main()
