"""Runs the programs that docs/database.md shows for other tools on a small database, and holds them to the test's own
arithmetic."""

import json
import re
import shutil
import subprocess
from pathlib import Path

import crossgrid_runs as runs

POINTS = [
    {"index": i, "adc.bits": 4 + i % 5, "array.rows_max": "unlimited" if i % 3 == 0 else 64, "adc.range": [-1, 2.5],
     "mapping": "unit column", "status": "done" if i < 38 else "pending", "trials.done": 3 if i < 38 else 0, "deterministic": False,
     "top1.mean": 0.1 + 0.017 * i if i < 38 else None, "top1.std": 0.01, "point": f"{i:032x}"}
    for i in range(40)
]


def blocks():
    """(language, tool, text) of each program in the documentation."""
    text = (runs.SOURCE / "docs/database.md").read_text()
    section = text[text.index("## Other programs"):]
    for language, program in re.findall(r"```(sh|python)\n(.*?)```", section, re.S):
        yield language, program.split()[0 if language == "sh" else 1], program


def expected():
    groups = {}
    for point in POINTS:
        if point["adc.bits"] >= 6 and point["top1.mean"] is not None:
            groups.setdefault(point["adc.bits"], []).append(point["top1.mean"])
    return [sum(values) / len(values) for _, values in sorted(groups.items())]


def agrees(output, means):
    """Whether the output holds all the means, in order, and no other number below 1."""
    found = [float(number) for number in re.findall(r"(?<![\d.])0\.\d+", output)]
    return len(found) == len(means) and all(abs(a - b) < 1e-5 for a, b in zip(found, means))


def check(folder, python):
    """Runs every block whose tool is there; returns the tools that were missing."""
    folder = Path(folder)
    (folder / "points.jsonl").write_text("".join(json.dumps(point) + "\n" for point in POINTS))
    means = expected()
    wrong = ", ".join(str(mean) for mean in means[:-1]) + f", {means[-1] + 2e-5}"
    if agrees(wrong, means) or not agrees("\n".join(map(str, means)), means):
        runs.fail("the comparison would not see a wrong mean")
    bin_folder = folder / "bin"
    bin_folder.mkdir()
    (bin_folder / "crossgrid").symlink_to(runs.BINARY)
    path = f"{bin_folder}:{runs.os.environ['PATH']}"
    missing, tried = [], []
    for language, tool, program in blocks():
        if language == "sh":
            there = shutil.which(tool, path=path)
            command = ["bash", "-c", program]
        else:
            there = subprocess.run([python, "-c", f"import {tool}"], capture_output=True).returncode == 0
            command = [python, "-c", program]
        if not there:
            missing.append(tool)
            continue
        result = subprocess.run(command, cwd=folder, env=runs.environment(PATH=path), text=True, capture_output=True)
        if result.returncode != 0 or not agrees(result.stdout, means):
            runs.fail(f"{tool}: exit code {result.returncode}, expected {means}\n{result.stdout}\n{result.stderr}")
        tried.append(tool)
    if "crossgrid" not in tried or len(tried) + len(missing) != 5:
        runs.fail(f"the documentation's programs were not found: tried {tried}, missing {missing}")
    print("agree:", ", ".join(tried))
    return missing
