"""A run leaves what it was expected to take and what it took in its journal, and `status` compares the two."""

import re
import subprocess
import tempfile
from pathlib import Path

import crossgrid_runs as runs


def accounts(out):
    return [record for record in runs.journal_lines(out) if record["kind"] == "account"]


def status(out):
    result = subprocess.run([runs.BINARY, "status", str(out)], text=True, capture_output=True)
    if result.returncode != 0:
        runs.fail(f"status: exit code {result.returncode}\n{result.stderr}")
    return {line.split()[0]: line.split(None, 1)[1] for line in result.stdout.splitlines()}


def check(out, units):
    """The account at the end: all units, with the run times that their records have."""
    first, last = accounts(out)[0], accounts(out)[-1]
    if first["measured"]["units"] != 0 or first["predicted"]["units"] != units:
        runs.fail(f"the run began with {first}, expected {units} units and none done")
    if last["predicted"] != first["predicted"]:
        runs.fail(f"the prediction changed: {first['predicted']}, {last['predicted']}")
    measured, predicted = last["measured"], last["predicted"]
    seconds = sum(record["seconds"] for record in runs.journal_lines(out) if record["kind"] == "unit")
    if measured["units"] != units or abs(measured["unit_seconds"] - seconds) > 1e-3 * seconds:
        runs.fail(f"{measured}, expected {units} units and {seconds} s")
    if abs(measured["cost"] / predicted["cost"] - 1) > 1e-6:
        runs.fail(f"units of cost {measured['cost']} ended, {predicted['cost']} was predicted for all")
    if not 10 < measured["megabytes"] < 4000:
        runs.fail(f"an executor took {measured['megabytes']} MB?")
    ratio = seconds / predicted["unit_seconds"]
    lines = status(out)
    if not lines["predicted"].startswith(f"{units} units in "):
        runs.fail(f"status: predicted {lines['predicted']}")
    found = re.match(rf"{units} units in .*, ([0-9.e+-]+) times as long as predicted; ", lines["measured"])
    if not found or abs(float(found[1]) / ratio - 1) > 0.06:
        runs.fail(f"status: measured {lines['measured']}, expected {ratio:.2g} times")
    print(f"{units} units: {lines['measured']}")


def main():
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        sweep = runs.write_sweep(folder, trials=2)
        runs.run(sweep, folder / "out", "--threads", "1")
        units = runs.units_recorded(folder / "out")
        check(folder / "out", units)
        # Continued, the prediction is of what is left.
        runs.run(sweep, folder / "out", "--threads", "1", "--set", "trials=3")
        left = runs.units_recorded(folder / "out") - units
        again = accounts(folder / "out")[-1]
        if again["predicted"]["units"] != left or again["measured"]["units"] != left:
            runs.fail(f"{left} units were left, but the account is {again}")


main()
