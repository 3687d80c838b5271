"""The programs for other tools in docs/database.md, with pandas, DuckDB and polars from PyPI in an environment of the
test's own."""

import subprocess
import sys
import tempfile
import venv
from pathlib import Path

import crossgrid_runs as runs
import one_liners


def python_with_packages(folder):
    try:
        venv.create(folder, with_pip=True)
    except subprocess.CalledProcessError as error:  # Debian's python3-venv is missing
        print(error)
        return None
    python = folder / "bin/python"
    install = subprocess.run([python, "-m", "pip", "install", "--quiet", "pandas", "duckdb", "polars"], text=True,
                             capture_output=True)
    if install.returncode != 0:
        print(install.stderr[-2000:])
        return None
    return python


with tempfile.TemporaryDirectory() as name:
    python = python_with_packages(Path(name) / "environment")
    if python is None:
        print("SKIPPED: pandas, duckdb and polars can't be installed from PyPI")
        sys.exit(0)
    (Path(name) / "database").mkdir()
    missing = one_liners.check(Path(name) / "database", python)
    if set(missing) - {"jq"}:
        runs.fail(f"not tried: {missing}")
