"""Every hardware preset that ships is the published design, builds, runs and keeps a small network's accuracy."""

import json
import tempfile
from pathlib import Path

import crossgrid_runs as runs

PRESETS = sorted((runs.SOURCE / "sweeps/hardware").glob("*.json"))
# Ideal conditions of the devices' own measurements: what a preset must keep of the floating-point network's 98 %.
LEAST = 0.9

# What the presets stand for, as published: ISAAC (Shafiee et al., ISCA 2016), PRIME (Chi et al., ISCA 2016), SONOS
# (Agrawal et al., IEDM 2022), and measured devices over the range that they were measured in.
ISAAC = {
    "array.rows_max": 128, "array.cols_max": 128,
    "core.style": "offset", "core.unit_column": True, "core.weight_bits": 16, "core.slices": 8, "device.cell_bits": 2,
    "dac.bits": 16, "dac.slice_bits": 1, "adc.bits": 9, "adc.per_input_slice": True,
}
BALANCED = {"core.style": "balanced", "core.weight_bits": 8, "dac.bits": 8, "adc.bits": 8}
PROGRAMMED = {**BALANCED, "device.programming_error.model": "device"}
PUBLISHED = {
    "balanced-8bit": BALANCED,
    "isaac": {**ISAAC, "adc.model": "quantizer", "adc.range": "granular"},
    "isaac-sar": {**ISAAC, "adc.model": "sar", "adc.range": "calibrated"},
    "prime": {
        "array.rows_max": 256, "array.cols_max": 256,
        "core.style": "balanced", "core.weight_bits": 8, "core.slices": 2, "device.cell_bits": 4,
        "dac.bits": 6, "dac.slice_bits": 3, "adc.model": "ramp", "adc.bits": 6,
    },
    "sonos": {
        **PROGRAMMED, "device.read_noise.model": "device",
        "array.rows_max": 1152, "array.cols_max": 256, "device.cell_bits": 7, "device.r_min": 35000,
        "device.on_off_ratio": 1e7, "adc.model": "ramp",
    },
    "pcm-joshi": {**PROGRAMMED, "device.r_min": 40000, "device.on_off_ratio": 100},  # up to 25 uS
    "pcm-nandakumar": {**PROGRAMMED, "device.read_noise.model": "device", "device.r_min": 40000},
    "rram-milo": {**PROGRAMMED, "device.r_min": 4445, "device.on_off_ratio": 4.4},  # 50 to 225 uS
    "rram-wan": {**PROGRAMMED, "device.r_min": 25500},  # up to 39.26 uS
}
ABSENT = object()


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


def check_numbers(preset, folder):
    """What the program made of the preset, after its includes."""
    hardware = json.loads((Path(folder) / preset.stem / "sweep.json").read_text())["hardware"]
    if preset.stem not in PUBLISHED:
        runs.fail(f"{preset.name}: no test says what it stands for")
    for key, value in PUBLISHED[preset.stem].items():
        found = hardware.get(key, ABSENT)
        if found != value:
            runs.fail(f"{preset.name}: {key} is {'absent' if found is ABSENT else found}, expected {value}")


def main():
    missing = PUBLISHED.keys() - {preset.stem for preset in PRESETS}
    if missing:
        runs.fail(f"sweeps/hardware lacks {missing}")
    with tempfile.TemporaryDirectory() as folder:
        for preset in PRESETS:
            point = accuracy(preset, folder)
            print(f"{preset.stem:16} top1 {point['top1.mean']:.3f}, layer error {point['layer_error.mean']:.3f}")
            if not point["top1.mean"] >= LEAST:
                runs.fail(f"{preset.name}: top1 {point['top1.mean']}, expected at least {LEAST}")
            check_numbers(preset, folder)


if __name__ == "__main__":
    main()
