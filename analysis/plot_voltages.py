#!/usr/bin/env python3
"""Draws the voltages inside an array with wires, as `crossgrid circuit ... -o state.json` saved them.

    analysis/plot_voltages.py state.json -o voltages.png

One map per kind of line: word lines (or supply lines), of interleaved pairs also those at minus the voltage, and bit
lines, which ideal wires would leave at 0 V. Row 0 is at the top, the ADCs below. Needs matplotlib.
"""

import argparse
import json
import pathlib
import sys

FORMATS = (".png", ".pdf", ".svg")
TITLES = {
    "word_voltages": "Word lines",
    "supply_voltages": "Supply lines",
    "minus_word_voltages": "Word lines of - cells",
    "minus_supply_voltages": "Supply lines of - cells",
    "bit_voltages": "Bit lines",
}


class PlotError(Exception):
    """What a user has to change; the message says it."""


def read_maps(path):
    """Title -> rows of voltages [V]."""
    try:
        state = json.loads(pathlib.Path(path).read_text())
    except OSError as error:
        raise PlotError(f"{path}: {error.strerror}") from error
    except ValueError as error:
        raise PlotError(f"{path}: is no JSON: {error}") from error
    maps = {title: state[key] for key, title in TITLES.items() if isinstance(state, dict) and key in state}
    if "Bit lines" not in maps:
        raise PlotError(f"{path}: has no 'bit_voltages'; crossgrid circuit ... -o FILE writes such files")
    return maps


def draw(maps, output):
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(1, len(maps), figsize=(4.2 * len(maps), 3.8), squeeze=False, layout="constrained")
    for axis, (title, voltages) in zip(axes[0], maps.items()):
        image = axis.imshow(voltages, aspect="auto", cmap="viridis", interpolation="nearest")
        axis.set_title(title)
        axis.set_xlabel("Column")
        axis.set_ylabel("Row")
        figure.colorbar(image, ax=axis, label="Voltage [V]")
    figure.savefig(output, dpi=150)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("state", help="JSON file of crossgrid circuit")
    parser.add_argument("-o", "--output", default="voltages.png", help="picture to write: .png, .pdf or .svg")
    arguments = parser.parse_args()
    try:
        if pathlib.Path(arguments.output).suffix not in FORMATS:
            raise PlotError(f"{arguments.output}: expected a name that ends in {', '.join(FORMATS)}")
        draw(read_maps(arguments.state), arguments.output)
    except PlotError as error:
        print(f"error: {error}", file=sys.stderr)
        return 4
    print(f"drawn to {arguments.output}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
