"""Every hardware preset that ships builds, runs and keeps most of the small network's accuracy."""

import json
import tempfile
from pathlib import Path

import crossgrid_runs as runs

PRESETS = sorted((runs.SOURCE / "sweeps/hardware").glob("*.json"))
# Ideal conditions of the devices' own measurements: what a preset must keep of the floating-point network's 98 %.
LEAST = 0.9


def accuracy(preset, folder):
    sweep = Path(folder) / f"{preset.stem}.json"
    sweep.write_text(json.dumps({
        "network": str(runs.SOURCE / "data/digits-cnn.json"),
        "dataset": {"path": str(runs.SOURCE / "data/digits"), "split": "test", "images": {"first": 0, "count": 64}},
        "calibration": {"split": "train", "images": {"first": 0, "count": 64}},
        "hardware": {"include": str(preset)},
        "metrics": ["top1", "layer_error"],
    }))
    out = Path(folder) / preset.stem
    runs.run(sweep, out, "--allow-outside", "--threads", "2")
    return json.loads(runs.points(out).splitlines()[0])


def main():
    if len(PRESETS) < 8:
        runs.fail(f"only {len(PRESETS)} presets in sweeps/hardware")
    with tempfile.TemporaryDirectory() as folder:
        for preset in PRESETS:
            point = accuracy(preset, folder)
            print(f"{preset.stem:16} top1 {point['top1.mean']:.3f}, layer error {point['layer_error.mean']:.3f}")
            if not point["top1.mean"] >= LEAST:
                runs.fail(f"{preset.name}: top1 {point['top1.mean']}, expected at least {LEAST}")


if __name__ == "__main__":
    main()
