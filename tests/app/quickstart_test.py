"""The quickstart is the size that it promises, and its accuracy falls with fewer ADC bits and with more error."""

import json
import tempfile
from collections import defaultdict
from pathlib import Path

import crossgrid_runs as runs

SWEEP = runs.SOURCE / "sweeps/quickstart.json"
BITS, ERROR, ROWS = "adc.bits", "device.programming_error.magnitude", "array.rows_max"


def ranks(values):
    """Ranks with ties at their mean."""
    order = sorted(values)
    return [(order.index(value) + len(order) - 1 - order[::-1].index(value)) / 2 for value in values]


def rank_correlation(pairs):
    """Spearman's."""
    left, right = (ranks(side) for side in zip(*pairs))
    mean = (len(pairs) - 1) / 2
    product = sum((a - mean) * (b - mean) for a, b in zip(left, right))
    return product / (sum((a - mean) ** 2 for a in left) * sum((b - mean) ** 2 for b in right)) ** 0.5


def check_size(points):
    axes = [name for name in (BITS, ERROR, ROWS) if len({json.dumps(point[name]) for point in points}) > 1]
    if len(axes) < 3 or len(points) < 60:
        runs.fail(f"{len(points)} points on {len(axes)} axes, expected 60 on 3 at least")
    for point in points:
        if point["status"] != "done" or point["images"] < 500 or point["trials.done"] < 3:
            runs.fail(f"expected 500 images and 3 trials at least, all done: {point}")
    print(f"{len(points)} points on {len(axes)} axes, {points[0]['images']} images, {points[0]['trials.done']} trials")


def check_falls(points, along, sign, fixed, what):
    lines = defaultdict(list)
    for point in points:
        lines[tuple(json.dumps(point[name]) for name in fixed)].append((sign * point[along], point["top1.mean"]))
    worst = max(rank_correlation(line) for line in lines.values())
    print(f"accuracy against {what}: the weakest of {len(lines)} rank correlations is {worst:.3f}")
    if not worst < -0.9:
        runs.fail(f"accuracy does not fall with {what}: {dict(lines)}")


def main():
    assert rank_correlation([(1, 3), (2, 2), (3, 1)]) == -1.0 and rank_correlation([(1, 1), (2, 3), (3, 2)]) == 0.5
    with tempfile.TemporaryDirectory() as name:
        out = Path(name) / "out"
        runs.run(SWEEP, out)
        points = [json.loads(line) for line in (out / "points.jsonl").read_text().splitlines()]
    check_size(points)
    check_falls(points, BITS, -1, (ERROR, ROWS), "fewer ADC bits")
    check_falls(points, ERROR, 1, (BITS, ROWS), "more programming error")


main()
