"""The steps of docs/bring-your-network.md, as they are written there: PyTorch to a sweep that runs."""

import importlib.util
import json
import os
import re
import subprocess
import sys
import tempfile

if importlib.util.find_spec("torch") is None:
    print("SKIPPED: no python3-torch, which exports the network of docs/bring-your-network.md")
    sys.exit(0)

crossgrid = os.environ["CROSSGRID_BINARY"]
with open(os.path.join(os.environ["CROSSGRID_SOURCE"], "docs", "bring-your-network.md"), encoding="utf-8") as page:
    text = page.read()
python = re.search(r"```python\n(.*?)```", text, re.S).group(1)
sweep = json.loads(re.search(r"```json\n(.*?)```", text, re.S).group(1))
commands = re.search(r"```\n(crossgrid validate.*?)```", text, re.S).group(1)

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
        points = [json.loads(line) for line in file]

assert len(points) == 6, points
best = [point["top1.mean"] for point in points if point["adc.bits"] == 8]
worst = [point["top1.mean"] for point in points if point["adc.bits"] == 4 and point["array.rows_max"] == 32]
print("top-1 with 8-bit ADCs:", best, "with 4 bits:", worst)
# The labels are the network's own, so that 8 bits nearly keep them.
assert min(best) >= 0.8, best
