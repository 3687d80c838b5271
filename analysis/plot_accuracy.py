#!/usr/bin/env python3
"""Draws a sweep's accuracy against one axis, grouped by another, with error bars over trials.

    analysis/plot_accuracy.py results/quickstart --x adc.bits --by device.programming_error.magnitude -o accuracy.png

RESULTS is the output folder of a sweep: its points.jsonl is read, and points.meta.json if it is there. Any column of
points.jsonl can be --x or --by. Axes that vary besides these two must be fixed, each by a --where column=value. Points
without a result are gaps in the lines, and are counted under the plot. Needs matplotlib.
"""

import argparse
import dataclasses
import difflib
import json
import math
import pathlib
import sys

# What axes and metrics are called in plots; others appear by their name.
AXIS_LABELS = {
    "adc.bits": "ADC resolution [bit]",
    "dac.bits": "DAC resolution [bit]",
    "adc.range": "ADC range",
    "core.weight_bits": "Weight resolution [bit]",
    "core.slices": "Weight slices",
    "core.style": "Core style",
    "device.cell_bits": "Cell resolution [bit]",
    "device.on_off_ratio": "On/off ratio",
    "device.programming_error.magnitude": "Programming error, magnitude",
    "device.programming_error.model": "Programming error, model",
    "device.read_noise.magnitude": "Read noise, magnitude",
    "device.r_min": "Lowest cell resistance [ohm]",
    "device.time": "Time after programming [s]",
    "array.rows_max": "Rows per array, at most",
    "array.cols_max": "Columns per array, at most",
    "array.wires.r_row": "Word line resistance [ohm per segment]",
    "array.wires.r_col": "Bit line resistance [ohm per segment]",
    "mapping": "Mapping",
}
METRIC_LABELS = {
    "top1": "Top-1 accuracy [%]",
    "top5": "Top-5 accuracy [%]",
    "adc_clip_rate": "Conversions that clip [%]",
    "loss": "Cross-entropy loss [nat]",
    "layer_error": "Error of layer outputs, relative",
}
# Words that mean 'without limit': drawn last.
LAST_WORDS = ("unlimited", "all", "continuous", "infinite", "float", "unsliced", "ideal")
BOOKKEEPING = {"index", "point", "status", "deterministic", "images", "trials.done", "trials.failed"}
FORMATS = (".png", ".pdf", ".svg")
# Okabe and Ito's colours without the yellow, which is too light for lines: told apart with any colour vision.
PALETTE = ("#0072B2", "#E69F00", "#009E73", "#D55E00", "#CC79A7", "#56B4E9", "#000000")
GREYS = ("#555555", "#9A9A9A")
MARKERS = "osD^vP*X<>"
INK, SOFT, GRID = "#222222", "#666666", "#E6E6E6"


class PlotError(Exception):
    """What a user has to change; the message says it."""


# Reading ------------------------------------------------------------------------------------------------------------


def refuse_constant(text):
    raise ValueError(f"{text} is not JSON")


def read_points(folder):
    path = pathlib.Path(folder) / "points.jsonl"
    points = []
    try:
        with open(path, encoding="utf-8") as file:
            for number, line in enumerate(file, 1):
                point = json.loads(line, parse_constant=refuse_constant)
                if not isinstance(point, dict):
                    raise ValueError("found no object, expected one per line")
                points.append(point)
    except OSError as error:
        raise PlotError(f"{path}: {error.strerror}; expected the output folder of a sweep") from None
    except ValueError as error:
        raise PlotError(f"{path}:{number}: {error}") from None
    if not points:
        raise PlotError(f"{path}: found no points")
    return points


def read_meta(folder):
    """What is known of the sweep; plots do without."""
    try:
        meta = json.loads((pathlib.Path(folder) / "points.meta.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return meta if isinstance(meta, dict) else {}


def columns_of(points):
    return list(dict.fromkeys(name for point in points for name in point))


def metrics_of(points):
    return [name.removesuffix(".mean") for name in columns_of(points) if name.endswith(".mean")]


def axes_of(points):
    """Columns that are parameters: not bookkeeping, and not a metric's mean, deviation and so on."""
    results = tuple(metric + "." for metric in metrics_of(points))
    return [name for name in columns_of(points) if name not in BOOKKEEPING and not name.startswith(results)]


def check_column(name, known, what):
    if name in known:
        return
    near = difflib.get_close_matches(name, known, 1, 0.5)
    hint = f"; did you mean '{near[0]}'?" if near else ""
    raise PlotError(f"{what} {name}: no such column{hint} (there are: {', '.join(known)})")


# Selecting ----------------------------------------------------------------------------------------------------------


def is_number(value):
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def show(value):
    """A value as a label: the shortest text that reads back."""
    if is_number(value):
        return repr(int(value)) if float(value).is_integer() and abs(value) < 1e7 else repr(value)
    return value if isinstance(value, str) else json.dumps(value)


def key(value):
    """Equal for equal values: 4 and 4.0, but not 1 and true."""
    return show(float(value)) if is_number(value) else json.dumps(value, sort_keys=True)


def parse_value(text):
    try:
        return json.loads(text)
    except ValueError:
        return text


def distinct(points, column):
    """The column's values: numbers by size, then words as they come, those that mean 'no limit' last."""
    values = {key(point.get(column)): point.get(column) for point in points}.values()
    return sorted(values, key=lambda value: (not is_number(value), LAST_WORDS.index(value) if value in LAST_WORDS else -1,
                                             value if is_number(value) else 0))


def select(points, conditions):
    """Points for which every column=value holds."""
    known = axes_of(points) + sorted(BOOKKEEPING & set(columns_of(points)))
    for condition in conditions:
        column, equals, text = condition.partition("=")
        if not equals:
            raise PlotError(f"--where {condition}: expected column=value")
        check_column(column, known, "--where")
        wanted = {key(parse_value(text)), key(text)}
        left = [point for point in points if key(point.get(column)) in wanted]
        if not left:
            values = ", ".join(show(value) for value in distinct(points, column))
            raise PlotError(f"--where {condition}: no point has this value (there are: {values})")
        points = left
    return points


def check_unique(points, x, by):
    """Two points at one place would be drawn over each other: some axis has to be fixed."""
    places = {}
    for point in points:
        places.setdefault((key(point.get(x)), key(point.get(by)) if by else ""), []).append(point)
    crowded = max(places.values(), key=len)
    if len(crowded) == 1:
        return
    where = f"{x} = {show(crowded[0].get(x))}" + (f", {by} = {show(crowded[0].get(by))}" if by else "")
    message = f"{len(crowded)} points have {where}; fix what they differ in:"
    for column in axes_of(points):
        values = distinct(crowded, column)
        if len(values) > 1:
            message += f"\n  --where '{column}={show(values[0])}' (or {', '.join(show(value) for value in values[1:])})"
    raise PlotError(message)


# Curves -------------------------------------------------------------------------------------------------------------


@dataclasses.dataclass
class Curve:
    """One line: at each place a mean and its distances to the interval's ends, NaN where there is none."""

    group: object
    places: list
    mean: list
    below: list
    above: list


def finite(value):
    return float(value) if is_number(value) and math.isfinite(value) else math.nan


def curve_of(points, group, x, places, metric, factor):
    by_place = {places[key(point.get(x))]: point for point in points}
    curve = Curve(group, [], [], [], [])
    for place, point in sorted(by_place.items()):
        mean = finite(point.get(f"{metric}.mean"))
        low, high = finite(point.get(f"{metric}.ci95.low")), finite(point.get(f"{metric}.ci95.high"))
        curve.places.append(place)
        curve.mean.append(factor * mean)
        curve.below.append(factor * max(mean - low, 0.0) if math.isfinite(mean - low) else 0.0)
        curve.above.append(factor * max(high - mean, 0.0) if math.isfinite(high - mean) else 0.0)
    return curve


def is_logarithmic(numbers):
    """Values spaced by a factor rather than by a difference."""
    if len(numbers) < 3 or numbers[0] <= 0:
        return False
    ratios = [b / a for a, b in zip(numbers, numbers[1:])]
    steps = [b - a for a, b in zip(numbers, numbers[1:])]
    return max(ratios) / min(ratios) < max(steps) / min(steps) and numbers[-1] / numbers[0] >= 4


@dataclasses.dataclass
class Axis:
    """Where the values of x stand: numbers by size, linear or logarithmic; a 0 on a logarithmic axis and words apart."""

    places: dict  # key of a value -> place
    ticks: list  # (place, label)
    breaks: list  # places between what has a scale and what has none
    step: float  # smallest distance of two places


def lay_out(values):
    numbers = [value for value in values if is_number(value)]
    words = [value for value in values if not is_number(value)]
    zeros = [value for value in numbers if value == 0]
    logarithmic = is_logarithmic([value for value in numbers if value != 0])
    scaled = [value for value in numbers if value != 0] if logarithmic else numbers
    position = math.log2 if logarithmic else float
    places = {key(value): position(value) for value in scaled}
    used = sorted(places.values())
    steps = [b - a for a, b in zip(used, used[1:])]
    # Words stand apart by the typical distance of numbers.
    apart = sorted(steps)[len(steps) // 2] if steps else 1.0
    breaks = []
    if logarithmic and zeros:
        places[key(zeros[0])] = used[0] - 1.2 * apart
        breaks.append(used[0] - 0.6 * apart)
    for number, word in enumerate(words):
        if scaled and number == 0:
            breaks.append(used[-1] + 0.6 * apart)
        places[key(word)] = (used[-1] + 0.2 * apart if scaled else 0.0) + apart * (number + (1 if scaled else 0))
    return Axis(places, [(places[key(value)], show(value)) for value in values], breaks, min(steps, default=apart))


# Drawing ------------------------------------------------------------------------------------------------------------


def colors_for(groups):
    """An ordered quantity gets an ordered colour map (words beside it: grey), names get colours that differ most."""
    import matplotlib

    numbers = sum(map(is_number, groups))
    words = len(groups) - numbers
    if (numbers > 2 and words <= len(GREYS)) or len(groups) > len(PALETTE):
        ordered = numbers if words <= len(GREYS) else len(groups)
        colors = matplotlib.colormaps["viridis"]
        return [colors(0.85 * i / max(ordered - 1, 1)) for i in range(ordered)] + list(GREYS[: len(groups) - ordered])
    return list(PALETTE[: len(groups)])


def draw_curves(axes, curves, axis):
    single = len(curves) == 1
    colors = colors_for([curve.group for curve in curves])
    for i, (curve, color) in enumerate(zip(curves, colors)):
        # Lines side by side within a tenth of a step, so that their error bars can be told apart.
        shift = 0.0 if single else 0.1 * axis.step * (i / (len(curves) - 1) - 0.5)
        axes.errorbar([place + shift for place in curve.places], curve.mean, [curve.below, curve.above], color=color,
                      marker=MARKERS[i % len(MARKERS)], markersize=5.5, markeredgecolor="white", markeredgewidth=0.7,
                      linewidth=1.7, elinewidth=1.1, capsize=2.5, capthick=1.1, zorder=3,
                      label=None if single else show(curve.group))


def dress(axes, axis, x, metric, fraction):
    ticks = axis.ticks
    if len(ticks) > 14:  # too many to print each
        every = -(-len(ticks) // 14)
        ticks = ticks[::every]
    axes.set_xticks([place for place, _ in ticks], [label for _, label in ticks])
    if sum(len(label) for _, label in ticks) > 70:
        axes.tick_params(axis="x", labelrotation=30)
        for label in axes.get_xticklabels():
            label.set_horizontalalignment("right")
    places = [place for place, _ in axis.ticks]
    margin = max(0.45 * axis.step, 0.04 * (max(places) - min(places)))
    axes.set_xlim(min(places) - margin, max(places) + margin)
    for place in axis.breaks:
        axes.axvline(place, color="#BBBBBB", linewidth=0.9, linestyle=(0, (2, 3)), zorder=1)
    axes.set_xlabel(AXIS_LABELS.get(x, x), labelpad=7)
    axes.set_ylabel(METRIC_LABELS.get(metric, metric), labelpad=7)
    low, high = axes.get_ylim()
    if fraction:
        axes.set_ylim(max(low, -2), min(high, 102))
    axes.grid(axis="y", color=GRID, linewidth=0.8)
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)
    axes.spines[["left", "bottom"]].set_color("#999999")
    axes.tick_params(color="#999999", labelcolor=INK)


def add_legend(axes, title):
    bars, names = axes.get_legend_handles_labels()
    lines = [bar[0] for bar in bars]  # without the error bars
    legend = axes.legend(lines, names, title=title.replace(", ", ",\n").replace(" [", "\n["), loc="center left",
                         bbox_to_anchor=(1.01, 0.5), frameon=False, labelspacing=0.7, title_fontsize=9.5)
    legend.set_alignment("left")


def span(numbers):
    """'3', or '2 to 3'."""
    return f"{min(numbers)}" if min(numbers) == max(numbers) else f"{min(numbers)} to {max(numbers)}"


def describe(points, conditions, metric):
    """The line under the title: images, trials, what the bars are, what is fixed."""
    parts = []
    images = [point["images"] for point in points if is_number(point.get("images"))]
    trials = [point["trials.done"] for point in points if is_number(point.get("trials.done")) and point["trials.done"] > 0]
    if images:
        parts.append(f"{max(images):,} images")
    if trials:
        bars = any(math.isfinite(finite(point.get(f"{metric}.ci95.low"))) for point in points)
        parts.append(("mean and 95 % interval over " if bars else "mean over ") + span(trials) +
                     (" trial" if max(trials) == 1 else " trials"))
    return ", ".join(parts + [condition.replace("=", " = ", 1) for condition in conditions])


def describe_gaps(points, metric):
    gaps = [point for point in points if not math.isfinite(finite(point.get(f"{metric}.mean")))]
    if not gaps:
        return ""
    states = [str(point.get("status", "unknown")) for point in gaps]
    counts = ", ".join(f"{states.count(state)} {state}" for state in dict.fromkeys(states))
    return f"{len(gaps)} of {len(points)} points without {metric}.mean, drawn as gaps ({counts})"


def draw(curves, axis, texts, arguments, fraction):
    import matplotlib

    matplotlib.use("Agg")
    matplotlib.rcParams.update({"font.size": 10.5, "text.color": INK, "axes.labelcolor": INK, "svg.fonttype": "none",
                                "svg.hashsalt": "crossgrid", "pdf.fonttype": 42})
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(figsize=(7.8, 4.8), layout="constrained")
    figure.get_layout_engine().set(w_pad=0.12, h_pad=0.1)
    draw_curves(axes, curves, axis)
    dress(axes, axis, arguments.x, arguments.metric, fraction)
    title, subtitle, footnote = texts
    axes.set_title(title, loc="left", fontsize=13, fontweight="bold", pad=26)
    axes.annotate(subtitle, (0, 1), (0, 9), xycoords="axes fraction", textcoords="offset points", color=SOFT, fontsize=9.5)
    if len(curves) > 1:
        add_legend(axes, AXIS_LABELS.get(arguments.by, arguments.by))
    if footnote:
        figure.supxlabel(footnote, x=0.01, horizontalalignment="left", fontsize=8.5, color=SOFT)
    undated = {".png": {}, ".svg": {"Date": None}, ".pdf": {"CreationDate": None}}
    figure.savefig(arguments.output, dpi=180, metadata=undated[pathlib.Path(arguments.output).suffix.lower()])
    pyplot.close(figure)


def plot(arguments):
    if pathlib.Path(arguments.output).suffix.lower() not in FORMATS:
        raise PlotError(f"-o {arguments.output}: expected a name that ends in {', '.join(FORMATS)}")
    points = read_points(arguments.results)
    metric = arguments.metric = arguments.metric.removesuffix(".mean")
    check_column(metric, metrics_of(points), "--metric")
    for flag, column in (("--x", arguments.x), ("--by", arguments.by)):
        if column:
            check_column(column, axes_of(points), flag)
    if arguments.x == arguments.by:
        raise PlotError(f"--by {arguments.by}: expected another column than --x")
    points = select(points, arguments.where)
    check_unique(points, arguments.x, arguments.by)

    fraction = METRIC_LABELS.get(metric, "").endswith("[%]")
    axis = lay_out(distinct(points, arguments.x))
    curves = []
    for group in distinct(points, arguments.by) if arguments.by else [None]:
        members = [point for point in points if arguments.by is None or key(point.get(arguments.by)) == key(group)]
        curves.append(curve_of(members, group, arguments.x, axis.places, metric, 100.0 if fraction else 1.0))
    footnote = describe_gaps(points, metric)
    name = read_meta(arguments.results).get("sweep")
    title = name if isinstance(name, str) else pathlib.Path(arguments.results).resolve().name
    draw(curves, axis, (title, describe(points, arguments.where, metric), footnote), arguments, fraction)
    print(f"{arguments.output}: {len(points)} points in {len(curves)} {'line' if len(curves) == 1 else 'lines'}")
    if footnote:
        print(footnote)


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("results", help="output folder of a sweep")
    parser.add_argument("--x", required=True, metavar="COLUMN", help="axis along the bottom, such as adc.bits")
    parser.add_argument("--by", metavar="COLUMN", help="axis with one line per value")
    parser.add_argument("--metric", default="top1", help="what to draw (default: top1)")
    parser.add_argument("--where", action="append", default=[], metavar="COLUMN=VALUE",
                        help="draw only points with this value; may be given several times")
    parser.add_argument("-o", "--output", required=True, metavar="FILE", help="picture to write: .png, .pdf or .svg")
    return parser.parse_args()


def main():
    try:
        plot(parse_arguments())
    except (PlotError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 4
    except ImportError as error:
        print(f"error: {error}; install python3-matplotlib", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
