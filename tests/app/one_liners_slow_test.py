"""The programs for other tools in docs/database.md, with pandas, DuckDB and polars from PyPI in an environment of the
test's own."""

import sys
import tempfile
from pathlib import Path

import crossgrid_runs as runs
import one_liners
from pypi_environment import python_with

with tempfile.TemporaryDirectory() as name:
    python = python_with(Path(name) / "environment", ["pandas", "duckdb", "polars"])
    if python is None:
        print("SKIPPED: pandas, duckdb and polars can't be installed from PyPI")
        sys.exit(0)
    (Path(name) / "database").mkdir()
    missing = one_liners.check(Path(name) / "database", python)
    if set(missing) - {"jq"}:
        runs.fail(f"not tried: {missing}")
