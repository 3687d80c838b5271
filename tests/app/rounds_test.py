"""Sweeps that decide in rounds: a search finds the crossing that the whole grid has, halving and early stops give points
the trials that the rule says, worked out here from the journal of a run of everything. Databases are equal byte for byte
whatever the number of ranks, the size of units, kills, restarts, and failures that were tried again."""

import json
import math
import subprocess
import tempfile
import time
from collections import defaultdict
from pathlib import Path

import chaos
import crossgrid_runs as runs

AXIS = "device.programming_error.magnitude"
MAGNITUDES = [round(0.02 * i, 12) for i in range(17)]
BASE = {
    "dataset": {**runs.SWEEP["dataset"], "images": {"first": 0, "count": 100}},
    "hardware": {**runs.SWEEP["hardware"],
                 "device": {"programming_error": {"model": "normal_independent", "magnitude": 0.1}}},
    "metrics": ["top1", "loss"],
}
SEARCH = {**BASE, "grid": {AXIS: MAGNITUDES, "adc.bits": [5, 8]}, "trials": 2}
BISECT = {"axis": AXIS, "metric": "top1", "worse_by": 0.1}
RACE = {**BASE, "grid": {"adc.bits": [4, 5, 6, 7], AXIS: [0.05, 0.2]}, "trials": 8}
ROUNDS = {"metric": "top1", "first": 2, "keep_best": 0.5, "stop_width": 0.02}
STUDENT_95 = {2: 12.706204736, 4: 3.182446305, 8: 2.364624252}  # quantiles at 0.975 for n - 1 degrees of freedom


def table(out, name="points.jsonl"):
    return [json.loads(line) for line in (Path(out) / name).read_text().splitlines()]


def files(out):
    return {name: (Path(out) / name).read_bytes() for name in ("points.jsonl", "crossings.jsonl")
            if (Path(out) / name).exists()}


def crossing_problem(crossing, rows):
    """What is wrong with a crossing, `rows` being the whole grid's points of its line in the order of the axis."""
    means = [row["top1.mean"] for row in rows]
    threshold = means[0] - BISECT["worse_by"]
    if abs(crossing["threshold"] - threshold) > 1e-12:
        return f"threshold {crossing['threshold']}, expected {threshold}"
    if crossing["case"] != "found":
        return f"case {crossing['case']}"
    before, after = (MAGNITUDES.index(crossing[f"{AXIS}.{end}"]) for end in ("before", "after"))
    if after != before + 1 or means[before] < threshold or means[after] >= threshold:
        return f"no crossing between values {before} and {after}: {means}"
    part = (means[before] - threshold) / (means[before] - means[after])
    if abs(crossing[AXIS] - (MAGNITUDES[before] + part * 0.02)) > 1e-9:
        return f"crossing at {crossing[AXIS]}, between {MAGNITUDES[before]} and {MAGNITUDES[after]} expected part {part}"
    return ""


def check_search(whole, out):
    lines = defaultdict(list)
    for row in table(whole):
        lines[row["adc.bits"]].append(row)
    crossings = table(out, "crossings.jsonl")
    if [crossing["adc.bits"] for crossing in crossings] != [5, 8]:
        runs.fail(f"crossings of other lines than the grid's: {crossings}")
    for crossing in crossings:
        rows = sorted(lines[crossing["adc.bits"]], key=lambda row: row[AXIS])
        problem = crossing_problem(crossing, rows)
        if problem:
            runs.fail(f"{crossing}: {problem}")
        shifted = {**crossing, f"{AXIS}.before": crossing[f"{AXIS}.after"]}
        if not crossing_problem(shifted, rows) or not crossing_problem({**crossing, AXIS: crossing[AXIS] + 1e-3}, rows):
            runs.fail("the check takes wrong crossings")
    known = {row["index"]: row for row in table(whole)}
    points = table(out)
    if any(known[row["index"]] != row for row in points):
        runs.fail("a point of the search is not what it is in the whole grid")
    if len(points) > 2 * (2 + 4):
        runs.fail(f"{len(points)} points asked for, at most 12 are needed")
    print(f"search: {len(points)} of {len(known)} points; crossings at {[crossing[AXIS] for crossing in crossings]}")


def trial_means(out):
    sums = defaultdict(lambda: [0, 0])
    for record in runs.journal_lines(out):
        if "trial" in record:
            metric = record["metrics"]["top1"]
            total = sums[record["point"], record["trial"]]
            total[0] += int(metric["sum"])
            total[1] += metric["count"]
    return {chip: total / 2**32 / count for chip, (total, count) in sums.items()}


def expected_trials(whole, keep=0.5):
    """Trials of each point by the rule, from the trials of a run of everything."""
    means = trial_means(whole)
    points = [row["point"] for row in table(whole)]
    given = {point: 2 for point in points}
    running = points
    for trials in (4, 8):
        mean, width = {}, {}
        for point in running:
            values = [means[point, trial] for trial in range(given[point])]
            n = len(values)
            mean[point] = sum(values) / n
            spread = math.sqrt(sum((value - mean[point]) ** 2 for value in values) / (n - 1))
            width[point] = 2 * STUDENT_95[n] * spread / math.sqrt(n)
        ranked = sorted(running, key=lambda point: (-mean[point], points.index(point)))
        running = ranked[:math.ceil(keep * len(running))]
        for point in running:
            if width[point] > ROUNDS["stop_width"]:
                given[point] = trials
    return [given[point] for point in points]


def check_race(whole, out):
    found = [row["trials.done"] for row in table(out)]
    if found != expected_trials(whole):
        runs.fail(f"trials {found}, expected {expected_trials(whole)}")
    if found == expected_trials(whole, keep=0.75):
        runs.fail("the check can't tell another rule")
    if any(row["status"] != "done" for row in table(out)):
        runs.fail("points are not done")
    print(f"race: trials {found} of 8")


def check_status(out):
    text = subprocess.run([runs.BINARY, "status", str(out)], env=runs.environment(), capture_output=True, text=True)
    if "round     " not in text.stdout or "the last" not in text.stdout:
        runs.fail(f"status does not say the round:\n{text.stdout}{text.stderr}")
    check = subprocess.run([runs.BINARY, "status", str(out), "--check"], env=runs.environment())
    if check.returncode != 0:
        runs.fail(f"status --check of a finished sweep: {check.returncode}")


def check_plan(sweep, chips):
    """The plan's bound holds for what was run, and is less than everything."""
    text = subprocess.run([runs.BINARY, "plan", str(sweep)], env=runs.environment(), capture_output=True, text=True).stdout
    lines = {line.split()[0]: line for line in text.splitlines() if line.strip()}
    bound = int(lines["chips"].split()[1].replace(",", ""))
    if "at most" not in lines["rounds"] or "at most" not in lines["units"] or not chips <= bound < 64:
        runs.fail(f"{chips} chips were run; the plan:\n{text}")


def killed_and_continued(sweep, out, ranks):
    """SIGKILL for everything at three moments, then the end."""
    kills = 0
    for share in (4, 9, 15):
        job = chaos.start(sweep, out, ranks)
        deadline = time.monotonic() + 60
        while runs.units_recorded(out) < share and job.poll() is None and time.monotonic() < deadline:
            time.sleep(0.005)
        kills += job.poll() is None
        chaos.kill_job(job)
    runs.run(sweep, out, *chaos.FLAGS, ranks=ranks)
    return kills


def check_bytes(folder, sweep, base, name):
    variants = {"units": lambda out: runs.run(sweep, out, "--threads", "1", "--unit-images", "30"),
                "ranks": lambda out: runs.run(sweep, out, *chaos.FLAGS, ranks=3)}
    for label, start in variants.items():
        out = folder / f"{name}-{label}"
        start(out)
        if files(out) != files(base):
            runs.fail(f"{name}: other bytes with other {label}")
    out = folder / f"{name}-killed"
    kills = killed_and_continued(sweep, out, 3)
    if files(out) != files(base):
        runs.fail(f"{name}: other bytes after kills")
    recorded = defaultdict(int)
    for record in runs.journal_lines(out):
        if "trial" in record:
            recorded[record["point"], record["trial"], record["first"]] += 1
    if max(recorded.values()) > 1:
        runs.fail(f"{name}: units recorded twice")
    chips = {(point, trial) for point, trial, _ in recorded}
    wanted = sum(row["trials.done"] for row in table(base))
    if len(chips) != wanted:
        runs.fail(f"{name}: {len(chips)} chips recorded, {wanted} were chosen")
    print(f"{name}: the same bytes with other units, ranks and after {kills} kills")


def check_retry(folder, sweep, base, name):
    """Units that failed for good decide as failures; tried again, they decide as if nothing had been."""
    out = folder / f"{name}-failed"
    flags = ["--threads", "1", "--unit-images", "100"]
    broken = runs.run(sweep, out, *flags, "--retries", "0", check=False,
                      env={"CROSSGRID_FAILPOINTS": "executor.before_result=kill@3"})
    failed = sum(record.get("status") == "failed" for record in runs.journal_lines(out))
    if broken.returncode != 3 or failed < 3 or files(out) == files(base):
        runs.fail(f"{name}: exit code {broken.returncode} with {failed} failed units")
    runs.run(sweep, out, *flags, "--retry-failed")
    if files(out) != files(base):
        runs.fail(f"{name}: other bytes after {failed} failed units were tried again")
    print(f"{name}: the same bytes after {failed} failed units were tried again")


def main():
    runs.need_mpirun()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for label, base, block, check in (("search", SEARCH, {"bisect": BISECT}, check_search),
                                          ("race", RACE, {"rounds": ROUNDS}, check_race)):
            (folder / label).mkdir()
            whole, out = folder / f"{label}-whole", folder / f"{label}-base"
            runs.run(runs.write_sweep(folder, **base), whole)
            sweep = runs.write_sweep(folder / label, **base, **block)
            runs.run(sweep, out)
            check(whole, out)
            check_status(out)
            check_plan(sweep, sum(row["trials.done"] for row in table(out)))
            check_bytes(folder, sweep, out, label)
            check_retry(folder, sweep, out, label)
            # A grid that was run whole has all the answers: nothing is computed again.
            before = runs.units_recorded(whole)
            runs.run(sweep, whole)
            if runs.units_recorded(whole) != before or files(whole) != files(out):
                runs.fail(f"{label}: a whole grid's records are not taken for it")
            shard = runs.run(sweep, folder / "shard", "--shard", "1/2", check=False)
            runs.expect(f"{label} in shards", shard, runs.USAGE, "decides each round", "one job")
        query = subprocess.run([runs.BINARY, "query", str(folder / "search-base/crossings.jsonl"), "--select",
                                f"adc.bits,case,{AXIS}", "--csv"], env=runs.environment(), capture_output=True, text=True)
        if query.returncode != 0 or query.stdout.count("found") != 2:
            runs.fail(f"query of crossings: {query.stdout}{query.stderr}")


main()
