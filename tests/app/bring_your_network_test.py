"""The steps of docs/bring-your-network.md, as they are written there: PyTorch or Keras to a sweep that runs.

Arguments of the sweep that differ for Keras are those that the page names."""

import importlib.util
import json
import os
import re
import subprocess
import sys
import tempfile

crossgrid = os.environ["CROSSGRID_BINARY"]
with open(os.path.join(os.environ["CROSSGRID_SOURCE"], "docs", "bring-your-network.md"), encoding="utf-8") as page:
    text = page.read()
sweep = json.loads(re.search(r"```json\n(.*?)```", text, re.S).group(1))
commands = re.search(r"```\n(crossgrid validate.*?)```", text, re.S).group(1)


def run_steps(section, sweep):
    """The points of the sweep over the network that the section's code exports."""
    python = re.search(f"## {section}\n```python\n(.*?)```", text, re.S).group(1)
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([sys.executable, "-c", python], cwd=folder, check=True)
        with open(os.path.join(folder, "sweep.json"), "w", encoding="utf-8") as file:
            json.dump(sweep, file)
        for line in commands.splitlines():
            words = line.split("#")[0].split()
            assert words[0] == "crossgrid", line
            done = subprocess.run([crossgrid, *words[1:]], cwd=folder, capture_output=True, text=True)
            assert done.returncode == 0, f"{line}\n{done.stdout}{done.stderr}"
        with open(os.path.join(folder, "results", "my-network", "points.jsonl"), encoding="utf-8") as file:
            return [json.loads(line) for line in file]


def check(section, sweep):
    points = run_steps(section, sweep)
    assert len(points) == 6, points
    best = [point["top1.mean"] for point in points if point["adc.bits"] == 8]
    worst = [point["top1.mean"] for point in points if point["adc.bits"] == 4 and point["array.rows_max"] == 32]
    print(f"{section}: top-1 with 8-bit ADCs {best}, with 4 bits {worst}")
    # The labels are the network's own, so that 8 bits nearly keep them.
    assert min(best) >= 0.8, best


def missing(packages):
    return [package for package in packages if importlib.util.find_spec(package) is None]


lacks = {"From PyTorch": missing(["torch"]), "From Keras": missing(["tensorflow", "tf2onnx"])}
if all(lacks.values()):
    print("SKIPPED: no python3-torch, and neither tensorflow nor tf2onnx, which export the networks of "
          "docs/bring-your-network.md")
    sys.exit(0)
if not lacks["From PyTorch"]:
    check("From PyTorch", sweep)
if not lacks["From Keras"]:
    keras = json.loads(json.dumps(sweep))
    keras["dataset"]["preprocess"] = json.loads(re.search(r'`"preprocess": (\{"layout": "nhwc"\})`', text).group(1))
    keras["layers"][0]["match"] = re.search(r"its first layer is `(.*?)`", text).group(1)
    check("From Keras", keras)
for section, packages in lacks.items():
    if packages:
        print(f"{section}: not run, no {' or '.join(packages)}")
