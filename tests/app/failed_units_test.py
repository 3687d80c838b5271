"""A unit that kills its executor every time is recorded as failed with its signal; the sweep goes on, the exit code and
`status` say so, and --retry-failed makes up for it to the byte."""

import subprocess
import tempfile
from pathlib import Path

import crossgrid_runs as runs

GRID = {"adc.bits": [6, 7]}
FLAGS = ["--unit-images", "100", "--threads", "1"]


def status(out, *flags):
    return subprocess.run([runs.BINARY, "status", str(out), *flags], text=True, capture_output=True,
                          env=runs.environment())


def expect(what, found, wanted):
    if found != wanted:
        runs.fail(f"{what}: found {found}, expected {wanted}")
    print(f"{what}: {found}")


def main():
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        sweep = runs.write_sweep(folder, grid=GRID, trials=2)
        out = folder / "out"
        runs.run(sweep, folder / "base", *FLAGS)

        deadly = {"CROSSGRID_FAILPOINTS": "executor.before_result=kill"}
        expect("exit code when every unit is killed", runs.run(sweep, out, *FLAGS, env=deadly, check=False).returncode, 3)
        expect("status --check", status(out, "--check").returncode, 3)
        text = status(out).stdout
        if "signal 9" not in text or "after 3 attempts" not in text:
            runs.fail(f"status does not say why units failed:\n{text}")
        failed = [record for record in runs.journal_lines(out) if record.get("status") == "failed"]
        expect("failed records with their host", sum(bool(record["host"]) for record in failed), len(failed))

        expect("exit code of the same command", runs.run(sweep, out, *FLAGS, check=False).returncode, 3)
        expect("exit code with --retry-failed", runs.run(sweep, out, *FLAGS, "--retry-failed").returncode, 0)
        expect("status --check", status(out, "--check").returncode, 0)
        command = [runs.BINARY, "run", sweep, "-o", folder / "verbose", *FLAGS, "--verbose"]
        said = subprocess.run(command, text=True, capture_output=True, env=runs.environment(), check=True).stderr
        expect("lines of --verbose", said.count(": done in "), 12)
        if runs.points(out) != runs.points(folder / "base"):
            runs.fail("after --retry-failed the database differs from an undisturbed one")


main()
