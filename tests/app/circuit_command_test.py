"""`crossgrid circuit` solves an array from files: closed forms, what it saves, its netlist in ngspice, bad input."""

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path


def call(*words):
    return subprocess.run([os.environ["CROSSGRID_BINARY"], "circuit", *map(str, words)], capture_output=True, text=True)


def settings(**values):
    names = {"row": "array.wires.r_row", "col": "array.wires.r_col", "source": "array.wires.source",
             "row_end": "array.wires.r_row_end", "volt": "device.read_voltage", "iv": "device.iv.model"}
    return [word for name, value in values.items() for word in ("--set", f"{names[name]}={value}")]


def solve(folder, conductances, voltages, *words):
    (folder / "g.csv").write_text(conductances)
    (folder / "v.csv").write_text(voltages)
    result = call("-g", folder / "g.csv", "-v", folder / "v.csv", "-o", folder / "state.json", *words)
    assert result.returncode == 0, result.stderr
    return json.loads((folder / "state.json").read_text()), result.stdout


def near(found, expected):
    return abs(found - expected) <= 1e-12 * abs(expected)


def check_one_cell(folder):
    """0.2 V over 1 kohm between wires of 10 + 5 and 20 ohm."""
    state, text = solve(folder, "1e-3\n", "0.2 # volt\n", *settings(row=10, row_end=5, col=20, volt=0.2))
    current = 0.2 / 1035
    assert near(state["column_currents"][0], current), state
    assert near(state["power"], 0.2 * current)
    assert near(state["word_voltages"][0][0], 0.2 - 15 * current)
    assert near(state["bit_voltages"][0][0], 20 * current)
    assert state["kirchhoff_residual"] < 1e-13 and state["ohm_residual"] < 1e-13
    assert "3.38" in text, "lost: 35 of 1035 ohm\n" + text


def check_topologies(folder):
    """Two rows by hand: (0.1, 0.2) V without wires' resistance but the ADC's side."""
    state, _ = solve(folder, "1e-3,0\n2e-3,1e-3\n", "0.1\n0.2\n", *settings(col=1e-9, volt=0.2))
    assert abs(state["column_currents"][0] - 5e-4) < 1e-12 and abs(state["column_currents"][1] - 2e-4) < 1e-12
    (folder / "minus.csv").write_text("0,1e-3\n1e-3,0\n")
    pairs, _ = solve(folder, "1e-3,0\n2e-3,1e-3\n", "0.1\n0.2\n", "--minus", folder / "minus.csv", *settings(col=1e-9, volt=0.2))
    assert abs(pairs["column_currents"][0] - 3e-4) < 1e-12 and abs(pairs["column_currents"][1] - 1e-4) < 1e-12
    assert "minus_word_voltages" in pairs and "minus_cell_currents" in pairs
    gated, _ = solve(folder, "1e-3,0\n2e-3,1e-3\n", "0.2\n0\n", *settings(row=50, source="separate", volt=0.2))
    assert near(gated["column_currents"][0], 0.2 / 1050) and gated["column_currents"][1] == 0, gated
    assert "supply_voltages" in gated


def check_netlist(folder):
    netlist = folder / "array.cir"
    words = ("--netlist", netlist, *settings(row=30, col=20, volt=0.9, iv="cubic"))
    state, text = solve(folder, "1e-4,5e-5\n2e-5,1e-4\n", "0.9\n-0.3\n", *words)
    assert f"ngspice -b {netlist}" in text
    if not shutil.which("ngspice"):
        print("ngspice is missing: the netlist was not solved")
        return
    spice = subprocess.run(["ngspice", "-b", netlist], capture_output=True, text=True).stdout
    found = [float(number) for number in re.findall(r"i\(vout\d\) = (\S+)", spice)]
    assert len(found) == 2, spice
    for own, theirs in zip(state["column_currents"], found):
        assert abs(own - theirs) < 1e-8 * max(map(abs, found)), (own, theirs)


def check_picture(folder):
    try:
        import matplotlib  # noqa: F401
    except ImportError:
        print("matplotlib is missing: nothing was drawn")
        return
    script = Path(__file__).resolve().parents[2] / "analysis/plot_voltages.py"
    picture = folder / "voltages.png"
    solve(folder, "1e-3,1e-3\n1e-3,1e-3\n", "0.1\n0.1\n", *settings(row=10, col=10))
    subprocess.run([sys.executable, script, folder / "state.json", "-o", picture], check=True, capture_output=True)
    assert picture.read_bytes().startswith(b"\x89PNG")
    (folder / "other.json").write_text("{}")
    wrong = subprocess.run([sys.executable, script, folder / "other.json"], capture_output=True, text=True)
    assert wrong.returncode == 4 and "bit_voltages" in wrong.stderr, wrong


def check_errors(folder):
    wires = settings(row=1)
    good, short = folder / "good.csv", folder / "short.csv"
    good.write_text("1e-3,1e-3\n1e-3,2e-3\n")
    short.write_text("0.1\n")
    for words, code, parts in (
        ((), 2, ["--conductances"]),
        (("-g", good, "-v", good, *settings(volt=1)), 2, ["which wires resist"]),
        (("-g", folder / "none.csv", "-v", short, *wires), 4, ["none.csv", "No such file"]),
        (("-g", good, "-v", short, *wires), 4, ["short.csv", "1 voltages", "2 rows"]),
        (("-g", good, "-v", good, *wires), 4, ["good.csv", "2 x 2"]),
        (("-g", good, "-v", short, "--set", "array.wires.r_bow=1"), 4, ["array.wires.r_row"]),
    ):
        result = call(*words)
        assert result.returncode == code and all(part in result.stderr for part in parts), (words, result)
    volts = folder / "volts.csv"
    for text, place, part in (("1\nx\n", "volts.csv:2", "'x'"), ("1,2\n3\n", "volts.csv:2", "1 numbers"), ("#\n", "volts.csv", "no numbers"),
                              ("0.1\n0.05\n", "volts.csv", "0.05 V")):
        volts.write_text(text)
        result = call("-g", good, "-v", volts, *settings(row=1, source="separate"))
        assert result.returncode == 4 and place in result.stderr and part in result.stderr, (text, result)
    negative = folder / "negative.csv"
    negative.write_text("-1e-3\n1\n")
    result = call("-g", negative, "-v", volts, *wires)
    assert result.returncode == 4 and "-0.001 S" in result.stderr, result


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as name:
        for check in (check_one_cell, check_topologies, check_netlist, check_picture, check_errors):
            check(Path(name))
