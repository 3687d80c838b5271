"""The HTML report: one file without scripts and links out, every text of a hostile database shown as text, and the numbers
that it draws and lists are the database's."""

import html.parser
import json
import re
import subprocess
import tempfile
from pathlib import Path

import crossgrid_runs as runs

EVIL = "<script>alert(1)</script>\"'&<img src=x onerror=alert(2)>"
TAGS = set("html head meta title style body h1 h2 h3 p nav a table tr th td wbr div figure figcaption svg line rect circle path "
           "text pre details summary code".split())
EMPTY = {"meta", "wbr", "line", "rect", "circle", "path"}
ATTRIBUTES = set("lang charset http-equiv content name id class href viewbox width height role x y x1 y1 x2 y2 cx cy r d fill "
                 "stroke stroke-width stroke-opacity stroke-dasharray fill-opacity text-anchor transform font-size font-weight".split())


class Reader(html.parser.HTMLParser):
    """Takes a page apart and refuses what a report must not hold."""

    def __init__(self):
        super().__init__()
        self.open, self.problems, self.texts, self.counts, self.rows = [], [], [], {}, []

    def handle_starttag(self, tag, attributes):
        self.counts[tag] = self.counts.get(tag, 0) + 1
        if tag not in TAGS:
            self.problems.append(f"tag {tag}")
        for name, value in attributes:
            if name not in ATTRIBUTES or (name == "href" and not value.startswith("#")):
                self.problems.append(f"attribute {name}={value}")
        if tag == "tr":
            self.rows.append([])
        if tag in ("td", "th"):
            self.rows[-1].append("")
        if tag not in EMPTY:
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.handle_starttag(tag, attributes)

    def handle_endtag(self, tag):
        if not self.open or self.open.pop() != tag:
            self.problems.append(f"end of {tag}")

    def handle_data(self, data):
        self.texts.append(data)
        if self.open and self.open[-1] in ("td", "th"):
            self.rows[-1][-1] += data


def read(page):
    reader = Reader()
    reader.feed(page)
    reader.close()
    if reader.open:
        reader.problems.append(f"not closed: {reader.open}")
    return reader


def refuse_problems(page):
    reader = read(page)
    if reader.problems:
        runs.fail(f"the page holds {reader.problems[:5]}")
    if re.search(r"(?i)https?:|javascript:|@import|url\(", page):
        runs.fail("the page names something outside of itself")
    return reader


def report(folder, *words, code=0):
    result = subprocess.run([runs.BINARY, "report", str(folder), *words], text=True, capture_output=True)
    if result.returncode != code:
        runs.fail(f"report: exit code {result.returncode}, expected {code}\n{result.stdout}{result.stderr}")
    return result


def write_database(folder, points, meta, summary=None, sweep=None):
    folder.mkdir()
    (folder / "points.jsonl").write_text("".join(json.dumps(point) + "\n" for point in points))
    (folder / "points.meta.json").write_text(json.dumps(meta))
    for name, content in (("summary", summary), ("sweep", sweep)):
        if content is not None:
            (folder / f"{name}.json").write_text(json.dumps(content))


def hostile(folder):
    """Every text that a database can hold is the same attack."""
    axes = {EVIL + "a": [EVIL + "1", EVIL + "2"], EVIL + "b": [1, 2, EVIL + "3"]}
    names = list(axes)
    points = [{"index": i, names[0]: axes[names[0]][i // 3], names[1]: axes[names[1]][i % 3], "status": EVIL,
               EVIL + ".mean": i / 7, "point": EVIL} for i in range(6)]
    meta = {"schema": 2, "sweep": EVIL, "points": 6, "axes": [{"name": name, "unit": EVIL} for name in names],
            "metrics": [EVIL], "seed": EVIL, "numeric_class": EVIL, "backend": [EVIL], "physics_version": {EVIL: EVIL},
            "images": {"dataset": EVIL, "split": EVIL, "count": EVIL}, "content": {"network": EVIL},
            "runs": [{"time": EVIL, "host": EVIL, "program": EVIL, "commit": EVIL}, EVIL]}
    place = {"mean": EVIL, "value": EVIL, "axes": {EVIL: EVIL}}
    summary = {"points": {name: EVIL for name in ("done", "total", "failed", "partial", "pending")}, "trials": {"done": EVIL},
               "complete": EVIL, "metrics": {EVIL: {"best": place, "worst": place}},
               "expected": [{"where": {EVIL: EVIL}, "metric": EVIL, "value": EVIL, "source": EVIL, "holds": EVIL, "farthest": place}, 1],
               "failures": [{"index": EVIL, "host": EVIL, "reason": EVIL + "\x1b[2J\u0000"}, EVIL, None]}
    write_database(folder, points, meta, summary, {"about": EVIL, "network": EVIL, EVIL: EVIL})
    (folder / "crossings.jsonl").write_text(json.dumps({EVIL + "c": EVIL + "crossing"}) + "\n")
    report(folder)
    page = (folder / "report.html").read_text()
    reader = refuse_problems(page)
    shown = "".join(reader.texts)
    if reader.rows.count([EVIL + "crossing"]) != 1:
        runs.fail("the crossing is missing")
    if shown.count("<script>alert(1)</script>") < 40 or "\x1b" in page or "\0" in page:
        runs.fail(f"texts are missing: {shown.count('<script>')} times")
    if not read(page.replace("&lt;script&gt;", "<script>", 1)).problems or not read(page.replace("&quot;", '"', 1)).texts:
        runs.fail("the test would not see a script")
    for broken in ("[]", "1", '{"points": 5, "failures": 3, "expected": {}, "metrics": []}'):
        (folder / "summary.json").write_text(broken)
        report(folder)
        refuse_problems((folder / "report.html").read_text())
    print("hostile texts: shown as texts")


def numbers(folder):
    """Heat maps, extremes and the Pareto front against the test's own arithmetic."""
    bits, errors, rows = [4, 5, 6, 8], [0.0, 0.05, 0.1], [64, "unlimited"]
    points = []
    for b in bits:
        for e in errors:
            for r in rows:
                mean = round(0.3 + 0.08 * b - 1.5 * e - (0.01 * b if r == 64 else 0), 6)
                points.append({"index": len(points), "adc.bits": b, "device.programming_error.magnitude": e, "array.rows_max": r,
                               "status": "done", "top1.mean": mean, "top1.ci95.low": mean - 0.01, "top1.ci95.high": mean + 0.01})
    meta = {"schema": 1, "sweep": "numbers", "points": len(points), "metrics": ["top1"]}
    write_database(folder, points, meta)
    crossings = [{"adc.bits": 4, "case": "found", "device.programming_error.magnitude": 0.07125}, {"adc.bits": 5, "case": "below"}]
    header = list(crossings[0])
    (folder / "crossings.jsonl").write_text("".join(json.dumps({name: c.get(name) for name in header}) + "\n" for c in crossings))
    output = report(folder).stdout
    if str(folder / "report.html") not in output:
        runs.fail(f"report does not say what it wrote: {output}")
    page = (folder / "report.html").read_text()
    reader = refuse_problems(page)
    found = reader.rows[reader.rows.index(header) + 1:][:2]
    if found != [["4", "found", "0.07125"], ["5", "below", "-"]]:
        runs.fail(f"the crossings are {found}, expected {crossings}")
    # One plot for each axis, one for each pair, one of the front.
    if reader.counts["svg"] != 3 + 3 + 1:
        runs.fail(f"{reader.counts['svg']} plots, expected 7")
    for b in bits:
        for e in errors:
            of = [p["top1.mean"] for p in points if p["adc.bits"] == b and p["device.programming_error.magnitude"] == e]
            if f">{100 * sum(of) / len(of):.3g}</text>" not in page:
                runs.fail(f"no cell of the heat map has the mean at {b} bits, error {e}")
    front = [p for p in points if not any(
        q["top1.mean"] >= p["top1.mean"] and q["adc.bits"] <= p["adc.bits"] and
        (q["top1.mean"] > p["top1.mean"] or q["adc.bits"] < p["adc.bits"]) for q in points)]
    header = ["adc.bits", "device.programming_error.magnitude", "array.rows_max", "top1.mean"]
    found = reader.rows[reader.rows.index(header) + 1:][:len(front)]
    if found != [[f"{p[name]:.6g}" if isinstance(p[name], (int, float)) else p[name] for name in header] for p in front]:
        runs.fail(f"the Pareto front is {found}, expected {front}")
    report(folder, "-o", str(folder / "again.html"))
    if (folder / "again.html").read_text() != page:
        runs.fail("the same database gave other bytes")
    report(folder, "--pareto", "max:top1.mean", code=2)
    report(folder, "--pareto", "max:top1.mean,min:adc.bitz", code=4)
    print(f"numbers: {len(points)} points, {len(front)} on the front, as computed here")


def checks_after_a_run(folder):
    """An expected value that is met and one that is missed, from the sweep to the report; equal and unequal databases."""
    where = {"adc.bits": 8, "core.style": "balanced", "device.programming_error.magnitude": 0.0}
    common = {"where": where, "metric": "top1.mean", "source": "the test"}
    sweep = runs.write_sweep(folder, trials=1, grid={**runs.SWEEP["grid"], "core.style": ["balanced"], "adc.bits": [2, 8]},
                             expected=[{**common, "value": 0.9, "tolerance": 0.1},
                                       {**common, "where": {"adc.bits": 2}, "value": 0.99, "tolerance": 0.001}])
    out, other = folder / "out", folder / "other"
    runs.run(sweep, out)
    holds = [entry["holds"] for entry in json.loads((out / "summary.json").read_text())["expected"]]
    status = subprocess.run([runs.BINARY, "status", str(out)], text=True, capture_output=True).stdout
    if holds != [True, False] or "1 met, 1 missed, 0 without all results" not in status:
        runs.fail(f"expected values: {holds}\n{status}")
    report(out)
    reader = refuse_problems((out / "report.html").read_text())
    words = [row[0] for row in reader.rows if row[-1] == "the test"]
    if words != ["met", "missed"]:
        runs.fail(f"the report says {words} of the expected values")

    diff = lambda *words: subprocess.run([runs.BINARY, "diff", *map(str, words)], text=True, capture_output=True)
    runs.run(runs.write_sweep(folder, trials=1, seed=8, grid=json.loads((folder / "sweep.json").read_text())["grid"]), other)
    for words, code in (((out, out), 0), ((out, other), 7), ((out, other, "--tolerance", "1e9"), 0), ((out,), 2)):
        result = diff(*words)
        if result.returncode != code:
            runs.fail(f"diff {words}: exit code {result.returncode}, expected {code}\n{result.stdout}{result.stderr}")
    if "seed (A 7, B 8)" not in diff(out, other).stdout:
        runs.fail(f"diff does not name the seed:\n{diff(out, other).stdout}")
    print("expected values and diff: as they should be")


def main():
    with tempfile.TemporaryDirectory() as name:
        hostile(Path(name) / "hostile")
        numbers(Path(name) / "numbers")
        checks_after_a_run(Path(name))


main()
