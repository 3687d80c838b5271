"""`crossgrid circuit` beside badcrossbar (PyPI; exact, input source): currents to 1e-9 on random arrays up to 128 x 128.

badcrossbar is installed into a virtual environment of the test's own, without the packages that only its drawings need.
"""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from pypi_environment import python_with

SIZES = ((4, 7), (16, 16), (33, 20), (64, 64), (128, 128))
PEER = """
import json, sys
import numpy
import badcrossbar
for case in json.load(open(sys.argv[1])):
    resistances = 1 / numpy.array(case["conductances"])
    voltages = numpy.array(case["voltages"]).reshape(-1, 1)
    solution = badcrossbar.compute(voltages, resistances, r_i_word_line=case["r_row"], r_i_bit_line=case["r_col"])
    print("RESULT", json.dumps(solution.currents.output.ravel().tolist()))
"""


def peer_python(folder):
    """The Python of an environment with badcrossbar, or None."""
    return python_with(Path(folder) / "environment", ["--no-deps", "badcrossbar==1.1.0"],
                       ["numpy", "scipy", "sigfig", "pathvalidate"])


def random_case(random, rows, cols):
    return {
        "conductances": [[10 ** random.uniform(-6, -3) for _ in range(cols)] for _ in range(rows)],
        "voltages": [random.uniform(-0.5, 0.5) for _ in range(rows)],
        "r_row": 10 ** random.uniform(-2, 1),
        "r_col": 10 ** random.uniform(-2, 1),
    }


def write_table(path, rows):
    path.write_text("\n".join(",".join(repr(number) for number in row) for row in rows) + "\n")


def own_currents(folder, case, r_col):
    write_table(folder / "g.csv", case["conductances"])
    write_table(folder / "v.csv", [[voltage] for voltage in case["voltages"]])
    words = ["--conductances", folder / "g.csv", "--voltages", folder / "v.csv", "-o", folder / "state.json"]
    wires = {"array.wires.r_row": case["r_row"], "array.wires.r_col": r_col, "device.read_voltage": 0.5}
    for name, value in wires.items():
        words += ["--set", f"{name}={value!r}"]
    subprocess.run([os.environ["CROSSGRID_BINARY"], "circuit", *words], check=True, capture_output=True)
    return json.loads((folder / "state.json").read_text())["column_currents"]


def distance(found, expected):
    return max(abs(a - b) for a, b in zip(found, expected, strict=True)) / max(map(abs, expected))


def main():
    import random

    random.seed(1)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        python = peer_python(folder)
        if python is None:
            print("SKIPPED: badcrossbar can't be installed (PyPI)")
            return 0
        sizes = SIZES[:3] if "CROSSGRID_SLOW_SAMPLE" in os.environ else SIZES
        cases = [random_case(random, *size) for size in sizes]
        (folder / "cases.json").write_text(json.dumps(cases))
        (folder / "peer.py").write_text(PEER)
        output = subprocess.run([python, folder / "peer.py", folder / "cases.json"], check=True, capture_output=True, text=True)
        peers = [json.loads(line[7:]) for line in output.stdout.splitlines() if line.startswith("RESULT ")]
        for size, case, expected in zip(sizes, cases, peers, strict=True):
            off = distance(own_currents(folder, case, case["r_col"]), expected)
            assert off < 1e-9, (size, off)
            twin = distance(own_currents(folder, case, 1.01 * case["r_col"]), expected)
            assert twin > 1e-9, (size, twin)
            print(f"{size[0]} x {size[1]}: {off:.1e} of the largest current; wires of 1.01 times their resistance {twin:.1e}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
