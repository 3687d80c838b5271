"""Decides from a log that the test kept whether a disturbed run did what it must. Knows nothing of the program but the
form of its journal: own checksum, own counting.

usage: chaos_check.py LOG FOLDER UNITS

LOG has a line of JSON for each unit that a runner started or ended (what, point, trial, first, time, process, parent),
and for each disturbance: {"disturbed": why, "from": t, "to": t, "rank": pid or null, "way": seconds that a result may be on
its way to where the disturbance does not reach}. Claims:
- every one of the UNITS units is in FOLDER's journal exactly once;
- no record is there that no runner ended;
- of the attempts at a unit, all but one were in flight at a disturbance: begun and not ended, or ended so shortly before
  that its result may have been on its way, at the rank that was hit (null: any);
- units started again are no more than units in flight."""

import json
import sys
import zlib
from collections import Counter, defaultdict
from pathlib import Path

def fail(message):
    print("FAILED:", message)
    sys.exit(1)


def journal_units(folder):
    for segment in sorted(Path(folder).glob("journal-*.jsonl")):
        for line in segment.read_bytes().split(b"\n"):
            if not line.startswith(b'{"crc":"') or len(line) < 19:
                continue
            rest = line[len('{"crc":"xxxxxxxx",'):]
            if int(line[8:16], 16) == zlib.crc32(rest):
                record = json.loads(line)
                if record["kind"] == "unit":
                    yield record


def read_log(path):
    starts, ends, disturbances = defaultdict(list), defaultdict(list), []
    for line in Path(path).read_text().splitlines():
        entry = json.loads(line)
        if "disturbed" in entry:
            disturbances.append(entry)
            continue
        unit = entry["point"], entry["trial"], entry["first"]
        (starts if entry["what"] == "start" else ends)[unit].append(entry)
    return starts, ends, disturbances


def in_flight(disturbance, start, ends):
    """Whether the attempt that began with `start` was in flight at a moment of the disturbance."""
    if start["time"] > disturbance["to"] or disturbance["rank"] not in (None, start["parent"]):
        return False
    end = [e["time"] for e in ends if e["process"] == start["process"] and e["time"] >= start["time"]]
    return not end or min(end) >= disturbance["from"] - disturbance["way"]


def check(log, folder, units):
    starts, ends, disturbances = read_log(log)
    records = list(journal_units(folder))
    count = Counter()
    for record in records:
        if record["status"] != "done":
            fail(f"a unit is recorded as {record['status']}: {record}")
        count[record["trial"], record["first"], record["point"]] += 1
    if len(count) != units:
        fail(f"{len(count)} units in the journal, expected {units}")
    if max(count.values()) > 1:
        fail(f"a unit is recorded more than once: {count.most_common(1)}")
    if len(ends) != units:
        fail(f"{len(ends)} units were ended by runners, {units} are recorded")
    redone = 0
    for unit, attempts in starts.items():
        # All but one, whichever: the executor of a stopped worker may begin a unit after the one that replaced it.
        met = sum(any(in_flight(disturbance, attempt, ends[unit]) for disturbance in disturbances) for attempt in attempts)
        redone += len(attempts) - 1
        if met < len(attempts) - 1:
            fail(f"unit {unit} was started again although no disturbance met it: {attempts}, {disturbances}")
    flying = sum(in_flight(disturbance, start, ends[unit]) for disturbance in disturbances
                 for unit, attempts in starts.items() for start in attempts)
    if redone > flying:
        fail(f"{redone} units were started again, only {flying} were in flight")
    return redone, flying


if __name__ == "__main__":
    print("%d started again of %d in flight" % check(sys.argv[1], sys.argv[2], int(sys.argv[3])))
