"""A unit that kills its executor every time is recorded as failed with its signal; the sweep goes on, the exit code and
`status` say so, and --retry-failed makes up for it to the byte. The command that `status` and the record give replays
the unit: it ends as it ended, and compares with the journal what it gives."""

import json
import os
import shlex
import shutil
import signal
import subprocess
import tempfile
import zlib
from pathlib import Path

import crossgrid_runs as runs

GRID = {"adc.bits": [6, 7]}
FLAGS = ["--unit-images", "100", "--threads", "1"]


def status(out, *flags):
    return subprocess.run([runs.BINARY, "status", str(out), *flags], text=True, capture_output=True,
                          env=runs.environment())


def expect(what, found, wanted):
    if found != wanted:
        runs.fail(f"{what}: found {found}, expected {wanted}")
    print(f"{what}: {found}")


def replay(command, folder, **environment):
    path = f"{Path(runs.BINARY).parent}:{os.environ['PATH']}"
    return subprocess.run(shlex.split(command), cwd=folder, text=True, capture_output=True,
                          env=runs.environment(PATH=path, **environment))


def forge(out, record):
    """Another result in place of the record's, with a checksum that holds."""
    for segment in out.glob("journal-*.jsonl"):
        text = segment.read_bytes()
        for line in text.split(b"\n"):
            if not line.endswith(b"}") or json.loads(line) != record:
                continue
            rest = line[len('{"crc":"xxxxxxxx",'):].replace(b'"count":%d}' % record["count"], b'"count":1}')
            forged = b'{"crc":"%08x",' % zlib.crc32(rest) + rest
            segment.write_bytes(text.replace(line, forged))
            return
    runs.fail("no record to forge")


def check_replays(out, record, deadly):
    """The record's command, run in its folder."""
    result = replay(record["replay"], out, **deadly)
    expect("a unit that kills is replayed to its signal", result.returncode, -signal.SIGKILL)
    result = replay(record["replay"], out)
    expect("exit code of a replay that goes well", result.returncode, 0)
    if "the journal has no result of this unit" not in result.stdout:
        runs.fail(f"a replay of a failed unit compares it with something:\n{result.stdout}")


def check_comparison(out, record):
    result = replay(record["replay"], out)
    if result.returncode != 0 or "the journal has the same" not in result.stdout:
        runs.fail(f"a replay of a done unit differs from the journal:\n{result.stdout}{result.stderr}")
    done = next(r for r in runs.journal_lines(out) if r.get("status") == "done" and all(
        r[name] == record[name] for name in ("point", "trial", "first")))
    forge(out, done)
    result = replay(record["replay"], out)
    expect("exit code of a replay that differs from the journal", result.returncode, 4)
    for flags in ("--point 99", "--point 0 --trial 7", "--point 0 --images 0..9", "--point 0 --images 100..90"):
        result = replay(f"crossgrid replay . {flags}", out)
        expect(f"exit code of a replay with {flags}", (result.returncode, "expected" in result.stderr or
                                                       "has trials" in result.stderr), (2, True))


def check_terminal(out, record):
    """Whoever wrote a journal does not command the reader's terminal."""
    for segment in out.glob("journal-*.jsonl"):
        lines = segment.read_bytes().split(b"\n")
        for number, line in enumerate(lines):
            if not line.endswith(b"}") or json.loads(line) != record:
                continue
            evil = {**record, "host": "h\x1b[2J", "reason": "r\x1b]0;x\x07", "log": "one\x1b[1m\ntwo\x9b2J"}
            del evil["crc"]
            rest = json.dumps(evil, separators=(",", ":")).encode()[1:]
            lines[number] = b'{"crc":"%08x",' % zlib.crc32(rest) + rest
        segment.write_bytes(b"\n".join(lines))
    text = status(out).stdout
    for part in ("on h\\u001b[2J: r\\u001b]0;x\\u0007", "| one\\u001b[1m\n", "| two\\u009b2J\n"):
        expect(f"status shows {part!r}", part in text, True)
    expect("control characters in status", [letter for letter in text if ord(letter) < 32 and letter != "\n"], [])
    sweep = json.loads((out / "sweep.json").read_text())
    (out / "sweep.json").write_text(json.dumps({**sweep, "name": "\x1b[2J"}))
    expect("an error shows the name", ("name '\\u001b[2J'" in status(out).stderr), True)


def main():
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        sweep = runs.write_sweep(folder, grid=GRID, trials=2)
        out = folder / "out"
        runs.run(sweep, folder / "base", *FLAGS)

        deadly = {"CROSSGRID_FAILPOINTS": "executor.before_result=kill"}
        expect("exit code when every unit is killed", runs.run(sweep, out, *FLAGS, env=deadly, check=False).returncode, 3)
        expect("status --check", status(out, "--check").returncode, 3)
        text = status(out).stdout
        if "signal 9" not in text or "after 3 attempts" not in text or f"crossgrid replay {out} --point" not in text:
            runs.fail(f"status does not say why units failed:\n{text}")
        failed = [record for record in runs.journal_lines(out) if record.get("status") == "failed"]
        expect("failed records with their host", sum(bool(record["host"]) for record in failed), len(failed))
        expect("failed records with their signal", sum(record.get("signal") == 9 for record in failed), len(failed))
        check_replays(out, failed[0], {"CROSSGRID_FAILPOINTS": "executor.after_start=kill"})

        shutil.copytree(out, folder / "hostile")
        check_terminal(folder / "hostile", failed[0])

        expect("exit code of the same command", runs.run(sweep, out, *FLAGS, check=False).returncode, 3)
        expect("exit code with --retry-failed", runs.run(sweep, out, *FLAGS, "--retry-failed").returncode, 0)
        expect("status --check", status(out, "--check").returncode, 0)
        command = [runs.BINARY, "run", sweep, "-o", folder / "verbose", *FLAGS, "--verbose"]
        said = subprocess.run(command, text=True, capture_output=True, env=runs.environment(), check=True).stderr
        expect("lines of --verbose", said.count(": done in "), 12)
        if runs.points(out) != runs.points(folder / "base"):
            runs.fail("after --retry-failed the database differs from an undisturbed one")
        check_comparison(out, failed[0])


main()
