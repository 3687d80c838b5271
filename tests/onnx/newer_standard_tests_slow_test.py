"""ONNX's own tests of opsets that are newer than Debian's libonnx-testdata (those of PyPI's onnx 1.17, up to opset 22),
by operator and as networks. CROSSGRID_SLOW_SAMPLE=SEED: one of the two, which the seed chooses."""

import os
import subprocess
import sys
import tempfile
import zlib
from pathlib import Path

from pypi_environment import python_with

VERSION = "1.17.0"
SUITES = [("test_onnx", "OnnxStandardTests.Pass*"), ("test_network", "OnnxStandardNetworks.*")]
LEAST = 920  # of the node tests, of which Debian's have 744


def data_folder(python):
    where = "import onnx, pathlib; print(pathlib.Path(onnx.__file__).parent / 'backend/test/data')"
    return subprocess.run([python, "-c", where], check=True, capture_output=True, text=True).stdout.strip()


def main():
    programs = Path(os.environ["CROSSGRID_BINARY"]).parent
    with tempfile.TemporaryDirectory() as folder:
        python = python_with(Path(folder) / "environment", [f"onnx=={VERSION}"])
        if python is None:
            print(f"SKIPPED: onnx {VERSION} can't be installed from PyPI")
            return 0
        environment = {**os.environ, "CROSSGRID_ONNX_TESTS": data_folder(python)}
        sample = os.environ.get("CROSSGRID_SLOW_SAMPLE")
        for program, suite in [SUITES[zlib.crc32(sample.encode()) % 2]] if sample else SUITES:
            run = subprocess.run([programs / program, f"--gtest_filter={suite}"], env=environment, capture_output=True,
                                 text=True)
            print(run.stdout[-6000:])
            if run.returncode != 0 or "1 test from 1 test suite ran" not in run.stdout:
                return 1
            if program == "test_onnx":
                passed = [int(line.split()[1]) for line in run.stdout.splitlines() if line.startswith("node:")]
                if passed[0] < LEAST:
                    print(f"only {passed[0]} node tests pass, expected {LEAST}")
                    return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
