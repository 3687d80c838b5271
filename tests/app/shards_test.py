"""Several jobs on one sweep: shards run one after the other and at once, one of them killed and continued, beside units
that are recorded elsewhere. What 'gather' makes of them equals an ordinary run's database byte for byte (runs and hosts
aside), and it reports a journal that is missing, copied or changed."""

import json
import os
import re
import shutil
import signal
import subprocess
import tempfile
import time
import zlib
from pathlib import Path

import crossgrid_runs as runs

DONE, BAD_INPUT, BUSY, TO_BE_CONTINUED = 0, 4, 5, 75
FLAGS = ["--threads", "1", "--unit-images", "100"]
IMAGES = runs.SWEEP["dataset"]["images"]["count"]
CHIPS, SHARDS = 48, 3
UNITS = 3 * CHIPS  # images 5 to 204, cut at 100 and 200


def crossgrid(*words, expect=DONE):
    result = subprocess.run([runs.BINARY, *map(str, words)], env=runs.environment(), text=True, capture_output=True)
    if result.returncode != expect:
        runs.fail(f"{words}: exit code {result.returncode}, expected {expect}\n{result.stdout}{result.stderr}")
    return result.stdout + result.stderr


def expect(what, text, *parts):
    for part in parts:
        if part not in text:
            runs.fail(f"{what}: '{part}' is missing in\n{text}")


def shard(number, count=SHARDS):
    return ["--shard", f"{number}/{count}"]


def database(out):
    """All of the database but what names runs, and the next command."""
    read = lambda name: json.loads((out / name).read_text())
    meta, summary, document = read("points.meta.json"), read("summary.json"), read("database.json")
    del meta["runs"], document["meta"]["runs"], summary["next"]
    return [runs.points(out), (out / "sweep.json").read_bytes(), meta, summary, document]


def check_complete(what, out, base):
    text = crossgrid("gather", out)
    expect(what, text, f"{UNITS}, each recorded once", "shard 3/3       16 of 16 chips done, 0 failed, 0 left\n")
    if database(out) != database(base):
        runs.fail(f"{what}: the gathered database differs from an ordinary run's")
    runs.check_exactly_once(out, IMAGES, CHIPS)
    crossgrid("status", "--check", out)
    print(f"{what}: the same database")


def one_after_the_other(sweep, out, base):
    runs.run(sweep, out, *FLAGS, *shard(1))
    if (out / "points.jsonl").exists():
        runs.fail("a shard wrote a database that others write too")
    for words, code in [([], TO_BE_CONTINUED), (shard(1), DONE), (shard(2), TO_BE_CONTINUED)]:
        crossgrid("status", "--check", *words, out, expect=code)
    text = crossgrid("gather", out, expect=TO_BE_CONTINUED)
    expect("gather of one shard", text, f"{UNITS // 3}, each recorded once", "shard 1/3       16 of 16 chips done", "6 left",
           "shard 2/3       0 of 16 chips done, 0 failed, 16 left; it has no journal here")
    runs.run(sweep, out, *FLAGS, *shard(2))
    runs.run(sweep, out, *FLAGS, *shard(3))
    check_complete("one after the other", out, base)
    expect("status of shards", crossgrid("status", out), "shard 2/3 16 of 16 chips done, 0 failed", "run       not running")
    if crossgrid("status", "--records", out).strip() != str(UNITS) or crossgrid("status", "--records", *shard(2), out).strip() != str(UNITS // 3):
        runs.fail("status --records does not count the units")


def sealed(rest):
    """A journal line of what stands behind its checksum."""
    return b'{"crc":"%08x",' % zlib.crc32(rest) + rest


def faults_are_told(out, base):
    """The twins: a journal that is copied, missing or changed."""
    journal = out / "journal-2of3-000001.jsonl"
    copied = out / "journal-copy-000001.jsonl"
    shutil.copy(journal, copied)
    text = crossgrid("gather", out)
    expect("a copied journal", text, f"{UNITS}, each counted once; repeated records:",
           f"{UNITS // 3} in both journal-2of3 and journal-copy")
    if runs.points(out) != runs.points(base):
        runs.fail("a copied journal: its units are counted twice")

    def changed(line):
        return sealed(line[18:].replace(b'"sum":"', b'"sum":"1', 1))

    lines = copied.read_bytes().splitlines()
    copied.write_bytes(b"\n".join(changed(line) if b'"kind":"unit"' in line else line for line in lines) + b"\n")
    expect("a changed journal", crossgrid("gather", out, expect=BAD_INPUT), "two results of one unit with unequal", "host")
    copied.unlink()

    kept = journal.read_bytes()
    short = re.sub(rb'^{"crc":"[0-9a-f]{8}",("kind":"unit".*?"top1":{"sum":"\d+","count":)(\d+)(.*)$',
                   lambda line: sealed(line[1] + b"%d" % (int(line[2]) - 1) + line[3]), kept, count=1, flags=re.MULTILINE)
    if short == kept:
        runs.fail("no record to shorten")
    journal.write_bytes(short)
    expect("a record of fewer images than its unit's", crossgrid("gather", out, expect=BAD_INPUT), "the records of top1 count 199 images",
           "expected 200")
    journal.unlink()
    text = crossgrid("gather", out, expect=TO_BE_CONTINUED)
    expect("a missing journal", text, f"{UNITS * 2 // 3}, each recorded once", "0 of 16 chips done, 0 failed, 16 left; it has no journal")
    journal.write_bytes(kept)

    header, newline, others = kept.partition(b"\n")
    other = sealed(header[18:].replace(b'"numeric_class":"host/', b'"numeric_class":"other/'))
    journal.write_bytes(other + newline + others)
    expect("two numeric classes", crossgrid("gather", out, expect=7), "different numeric classes", "other/")
    journal.write_bytes(kept)
    check_complete("faults mended", out, base)


def start(sweep, out, number, **extra):
    return subprocess.Popen(runs.command(sweep, out, *FLAGS, *shard(number)), env=runs.environment(**extra), text=True,
                            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, start_new_session=True)


def at_once(sweep, out, base):
    slow = {"CROSSGRID_FAILPOINTS": "executor.after_start=delay(100)"}
    jobs = [start(sweep, out, 1), start(sweep, out, 2, **slow), start(sweep, out, 3)]
    deadline = time.monotonic() + 60
    journal = out / "journal-2of3-000001.jsonl"
    while not journal.exists() or journal.read_bytes().count(b'"kind":"unit"') < 5:
        if time.monotonic() > deadline:
            runs.fail(f"shard 2 recorded nothing: {jobs[1].poll()}")
        time.sleep(0.01)
    expect("status while shards run", crossgrid("status", out), "shard 2/3 running on")
    for words in ([], shard(1, 2), shard(2)):
        text = crossgrid("run", sweep, "-o", out, "--quiet", *words, expect=BUSY)
        expect(f"a run beside them: {words}", text, "in use by process")
    os.killpg(jobs[1].pid, signal.SIGKILL)
    for number, job in enumerate(jobs, 1):
        job.wait(timeout=120)
        if number != 2 and job.returncode != 0:
            runs.fail(f"shard {number} of three at once: exit code {job.returncode}: {job.stderr.read()}")
    begun = int(crossgrid("status", "--records", *shard(2), out))
    if not 5 <= begun < UNITS // 3:
        runs.fail(f"shard 2 was killed with {begun} of {UNITS // 3} units: this test could not fail")
    crossgrid("gather", out, expect=TO_BE_CONTINUED)
    runs.run(sweep, out, *FLAGS, *shard(2))
    check_complete(f"at once, shard 2 killed after {begun} units", out, base)


def beside_other_journals(sweep, out, base):
    runs.run(sweep, out, *FLAGS, "--grid", "adc.bits=5,6")
    before = runs.units_recorded(out)
    for number in range(1, SHARDS + 1):
        runs.run(sweep, out, *FLAGS, *shard(number))
    if before != UNITS // 2 or runs.units_recorded(out) != UNITS:
        runs.fail(f"{before} units of an ordinary run, {runs.units_recorded(out)} in all, expected {UNITS // 2}, {UNITS}")
    check_complete("units recorded by an ordinary run", out, base)


def main():
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        sweep = runs.write_sweep(folder)
        base = folder / "base"
        runs.run(sweep, base, *FLAGS)
        one_after_the_other(sweep, folder / "a", base)
        faults_are_told(folder / "a", base)
        at_once(sweep, folder / "b", base)
        beside_other_journals(sweep, folder / "c", base)
        for text in ("0/3", "4/3", "1/0", "x", "1/3/", "1/10000"):
            expect(text, crossgrid("run", sweep, "--shard", text, expect=2), f"--shard {text}: expected I/N")


main()
