#!/usr/bin/python3
"""Tests analysis/plot_accuracy.py on small databases that are made here."""

import importlib.util
import json
import math
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

SOURCE = pathlib.Path(os.environ.get("CROSSGRID_SOURCE", pathlib.Path(__file__).resolve().parents[2]))
SCRIPT = SOURCE / "analysis" / "plot_accuracy.py"

if importlib.util.find_spec("matplotlib") is None:
    if os.environ.get("CI"):
        sys.exit("matplotlib is missing: install python3-matplotlib")
    print("SKIPPED: matplotlib is missing: install python3-matplotlib")
    sys.exit(0)

sys.dont_write_bytecode = True
sys.path.insert(0, str(SCRIPT.parent))
import plot_accuracy  # noqa: E402


def point(index, bits, rows, mean, **others):
    half = 0.01
    values = {"index": index, "point": f"{index:032x}", "status": "done", "adc.bits": bits, "array.rows_max": rows,
              "images": 600, "trials.done": 3, "trials.failed": 0, "deterministic": False, "top1.mean": mean,
              "top1.std": 0.004, "top1.ci95.low": mean - half, "top1.ci95.high": mean + half, "top1.se_images": 0.01}
    return values | others


def failed(index, bits, rows):
    nothing = dict.fromkeys(("top1.mean", "top1.std", "top1.ci95.low", "top1.ci95.high", "top1.se_images"))
    return point(index, bits, rows, 0.0) | nothing | {"status": "failed", "trials.done": 0, "trials.failed": 3}


def sweep():
    points = []
    for bits in (4, 6, 8):
        for rows in (64, 128, 256, "unlimited"):
            points.append(point(len(points), bits, rows, 0.5 + 0.05 * bits))
    points[5] = failed(5, 6, 128)
    return points


class PlotAccuracy(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.picture = pathlib.Path(self.folder.name) / "out.svg"

    def run_script(self, points, *arguments, text=None):
        folder = pathlib.Path(self.folder.name)
        text = "".join(json.dumps(p) + "\n" for p in points) if text is None else text
        (folder / "points.jsonl").write_text(text)
        (folder / "points.meta.json").write_text(json.dumps({"sweep": "my-sweep"}))
        if "-o" not in arguments:
            arguments += ("-o", str(self.picture))
        return subprocess.run([sys.executable, str(SCRIPT), str(folder), *arguments], capture_output=True, text=True)

    def fails(self, points, *arguments, text=None):
        result = self.run_script(points, *arguments, text=text)
        self.assertEqual(result.returncode, 4, result.stderr)
        self.assertTrue(result.stderr.startswith("error: "), result.stderr)
        self.assertNotIn("Traceback", result.stderr)
        self.assertFalse(self.picture.exists())
        return result.stderr

    def test_draws_labels_words_and_counts_gaps(self):
        result = self.run_script(sweep(), "--x", "array.rows_max", "--by", "adc.bits")
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertIn("12 points in 3 lines", result.stdout)
        drawn = self.picture.read_text()
        for text in ("my-sweep", "ADC resolution", "Rows per array, at most", "Top-1 accuracy [%]", ">unlimited<", ">256<",
                     "600 images, mean and 95 % interval over 3 trials",
                     "1 of 12 points without top1.mean, drawn as gaps (1 failed)"):
            self.assertIn(text, drawn)

    def test_writes_each_format_and_the_same_bytes_again(self):
        for ending, start in ((".png", b"\x89PNG"), (".pdf", b"%PDF"), (".svg", b"<?xml")):
            path = self.picture.with_suffix(ending)
            self.assertEqual(self.run_script(sweep(), "--x", "array.rows_max", "--by", "adc.bits", "-o", str(path)).returncode, 0)
            first = path.read_bytes()
            self.assertTrue(first.startswith(start))
            self.run_script(sweep(), "--x", "array.rows_max", "--by", "adc.bits", "-o", str(path))
            self.assertEqual(path.read_bytes(), first, ending)

    def test_draws_when_nothing_succeeded_or_no_interval_is_known(self):
        everything_failed = [failed(i, bits, 64) for i, bits in enumerate((4, 6, 8))]
        result = self.run_script(everything_failed, "--x", "adc.bits")
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertIn("3 of 3 points without top1.mean", result.stdout)
        one_trial = {"top1.ci95.low": None, "top1.ci95.high": None, "top1.std": None, "trials.done": 1}
        result = self.run_script([point(0, 4, 64, 0.9, **one_trial)], "--x", "adc.bits")
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertIn("600 images, mean over 1 trial<", self.picture.read_text())

    def test_where_fixes_what_else_varies(self):
        result = self.run_script(sweep(), "--x", "adc.bits", "--where", "array.rows_max=unlimited")
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertIn("3 points in 1 line", result.stdout)
        result = self.run_script(sweep(), "--x", "adc.bits", "--where", "array.rows_max=64.0")
        self.assertEqual(result.returncode, 0, result.stderr)

    def test_names_the_axis_to_fix(self):
        message = self.fails(sweep(), "--x", "adc.bits")
        self.assertIn("4 points have adc.bits = 4; fix what they differ in:", message)
        self.assertIn("--where 'array.rows_max=64' (or 128, 256, unlimited)", message)

    def test_names_the_nearest_column_and_the_values_there_are(self):
        self.assertIn("--x adc.bitz: no such column; did you mean 'adc.bits'?", self.fails(sweep(), "--x", "adc.bitz"))
        self.assertIn("--by array.row_max: no such column; did you mean 'array.rows_max'?",
                      self.fails(sweep(), "--x", "adc.bits", "--by", "array.row_max"))
        self.assertIn("--metric top2: no such column; did you mean 'top1'?", self.fails(sweep(), "--x", "adc.bits", "--metric", "top2"))
        self.assertIn("no point has this value (there are: 64, 128, 256, unlimited)",
                      self.fails(sweep(), "--x", "adc.bits", "--where", "array.rows_max=65"))
        self.assertIn("expected column=value", self.fails(sweep(), "--x", "adc.bits", "--where", "array.rows_max"))
        self.assertIn("expected another column than --x", self.fails(sweep(), "--x", "adc.bits", "--by", "adc.bits"))
        # A result is no axis.
        self.assertIn("no such column", self.fails(sweep(), "--x", "top1.std"))

    def test_names_bad_files(self):
        self.assertIn("points.jsonl:2: ", self.fails([], "--x", "adc.bits", text='{"adc.bits": 1}\n{"adc.bits": \n'))
        self.assertIn("NaN is not JSON", self.fails([], "--x", "adc.bits", text='{"adc.bits": NaN}\n'))
        self.assertIn("found no points", self.fails([], "--x", "adc.bits"))
        self.assertIn("expected a name that ends in .png, .pdf, .svg", self.fails(sweep(), "--x", "adc.bits", "-o", "x.gif"))


class Axis(unittest.TestCase):
    def test_words_follow_numbers_and_those_without_limit_come_last(self):
        points = [{"x": value} for value in ("unlimited", 256, "auto", 64, 128, 64.0)]
        self.assertEqual(plot_accuracy.distinct(points, "x"), [64, 128, 256, "auto", "unlimited"])
        axis = plot_accuracy.lay_out([64, 128, 256, "auto", "unlimited"])
        self.assertEqual([axis.places[plot_accuracy.key(value)] for value in (64, 128, 256)], [6, 7, 8])
        self.assertGreater(axis.places['"auto"'], 8)
        self.assertGreater(axis.places['"unlimited"'], axis.places['"auto"'])
        self.assertTrue(8 < axis.breaks[0] < axis.places['"auto"'])

    def test_spacing_decides_the_scale(self):
        logarithmic = ([1, 2, 4], [64, 128, 256, 512], [0.01, 0.02, 0.05, 0.1, 0.2], [1e4, 1e5, 1e6])
        linear = ([4, 5, 6, 7, 8], [3, 4, 5, 6, 8], [0.05, 0.1, 0.15, 0.2], [2, 4, 6, 8], [1, 100], [0, 1, 2, 3])
        for values in logarithmic:
            self.assertTrue(plot_accuracy.is_logarithmic(values), values)
        for values in linear:
            self.assertFalse(plot_accuracy.is_logarithmic(values), values)

    def test_zero_stands_left_of_a_logarithmic_scale(self):
        axis = plot_accuracy.lay_out([0, 1, 10, 100])
        self.assertLess(axis.places["0"], axis.breaks[0])
        self.assertLess(axis.breaks[0], axis.places["1"])
        self.assertEqual(plot_accuracy.lay_out([0, 0.05, 0.1, 0.15]).breaks, [])


class Curve(unittest.TestCase):
    def test_has_percentages_intervals_and_gaps_at_the_places_of_x(self):
        points = [point(0, 8, 64, 0.9), failed(1, 6, 64), point(2, 4, 64, 0.7, **{"top1.ci95.low": 0.6})]
        places = plot_accuracy.lay_out([4, 6, 8]).places
        curve = plot_accuracy.curve_of(points, None, "adc.bits", places, "top1", 100.0)
        self.assertEqual(curve.places, [4, 6, 8])
        self.assertAlmostEqual(curve.mean[0], 70)
        self.assertTrue(math.isnan(curve.mean[1]))
        self.assertAlmostEqual(curve.mean[2], 90)
        self.assertAlmostEqual(curve.below[0], 10)
        self.assertAlmostEqual(curve.above[0], 1)


if __name__ == "__main__":
    unittest.main()
