"""Every kind of bad input gives one clear message with its place, the documented exit code, and loses nothing."""

import gzip
import json
import shutil
import subprocess
import tempfile
from pathlib import Path

import crossgrid_runs as runs
from crossgrid_runs import BAD_INPUT, BUSY, CONFLICT, STORAGE, USAGE, expect


def run_text(folder, text, *flags):
    path = folder / "bad.json"
    path.write_text(text)
    return runs.run(path, folder / "out", *flags, check=False)


def changed(**changes):
    return json.dumps({**runs.SWEEP, **changes})


def sweeps(folder):
    expect("malformed", run_text(folder, '{\n  "name": "x",\n  "grid": {,}\n}'), BAD_INPUT, "bad.json:3:")
    expect("key twice", run_text(folder, '{"name": "x",\n "name": "y"}'), BAD_INPUT, "bad.json:2:", "name")
    expect("comment", run_text(folder, '{"name": "x" // no\n}'), BAD_INPUT, "bad.json:1:")
    expect("byte-order mark", run_text(folder, "\ufeff" + changed()), BAD_INPUT, "bad.json:1:1", "byte-order mark")
    expect("unknown key", run_text(folder, changed(grid={"adc.bitz": [4, 5]})), BAD_INPUT, "/grid/adc.bitz", "adc.bits")
    expect("unknown key at the top", run_text(folder, changed(sead=3)), BAD_INPUT, "/sead", "seed")
    expect("wrong type", run_text(folder, changed(trials="three")), BAD_INPUT, "/trials", "three")
    expect("out of range", run_text(folder, changed(grid={"adc.bits": [4, 99]})), BAD_INPUT, "/grid/adc.bits", "99", "16")
    expect("a fraction of a bit", run_text(folder, changed(grid={"adc.bits": [4.5]})), BAD_INPUT, "/grid/adc.bits", "4.5")
    expect("empty axis", run_text(folder, changed(grid={"adc.bits": []})), BAD_INPUT, "/grid/adc.bits")
    expect("everything excluded", run_text(folder, changed(exclude=[{"adc.bits": {"at_least": 1}}])), BAD_INPUT, "exclude")
    expect("axis without effect", run_text(folder, changed(grid={"device.r_min": [1e4, 1e5]})), BAD_INPUT,
           "device.r_min", "no effect")
    expect("not yet supported", run_text(folder, changed(grid={"activation_bits": [4]})), BAD_INPUT, "activation_bits", "not yet supported")
    expect("pattern without layer", run_text(folder, changed(layers=[{"match": "/nothing*", "adc.bits": 10}])), BAD_INPUT,
           "/layers/0", "/nothing*")
    expect("too many images", run_text(folder, changed(dataset={**runs.SWEEP["dataset"], "images": {"first": 0, "count": 100000}})),
           BAD_INPUT, "/dataset/images", "99999", "600")
    expect("calibration on test images",
           run_text(folder, changed(calibration={"split": "test", "images": {"first": 0, "count": 64}})), BAD_INPUT,
           "/calibration")
    expect("missing sweep", runs.run(folder / "none.json", folder / "out", check=False), BAD_INPUT, "none.json", "No such file")


def calibration_that_saw_test_images(folder):
    """A test image under another index and split is told by its pixels."""
    copy = folder / "leaky"
    shutil.copytree(runs.SOURCE / "data/digits", copy)
    train, test = (copy / f"{split}-images-idx3-ubyte.gz" for split in ("train", "test"))
    pixels, images = bytearray(gzip.decompress(train.read_bytes())), gzip.decompress(test.read_bytes())
    header, size = 16, int.from_bytes(images[8:12], "big") * int.from_bytes(images[12:16], "big")
    leaked = images[header + 9 * size:header + 10 * size]

    def run_with_leak_at(index):
        changed_pixels = bytearray(pixels)
        changed_pixels[header + index * size:header + (index + 1) * size] = leaked
        train.write_bytes(gzip.compress(bytes(changed_pixels), 1))
        return run_text(folder, changed(trials=1, grid={}, dataset={**runs.SWEEP["dataset"], "path": str(copy)}))

    expect("a test image among the calibration's", run_with_leak_at(63), BAD_INPUT, "/calibration/images",
           "image 63 of split 'train'", "test image 9 of split 'test'")
    beyond = run_with_leak_at(64)  # calibration takes images 0 to 63
    if beyond.returncode != 0:
        runs.fail(f"an image that calibration does not take is refused:\n{beyond.stderr}")


def data(folder):
    calibration_that_saw_test_images(folder)
    expect("missing network", run_text(folder, changed(network="none-cnn.json")), BAD_INPUT, "none-cnn.json")
    copy = folder / "digits"
    shutil.copytree(runs.SOURCE / "data/digits", copy)
    expect("missing data set", run_text(folder, changed(dataset={**runs.SWEEP["dataset"], "path": "nowhere"})), BAD_INPUT,
           "nowhere")
    victim = next(path for path in sorted(copy.iterdir()) if "test" in path.name and "images" in path.name)
    whole = victim.read_bytes()
    plain = gzip.decompress(whole) if victim.suffix == ".gz" else whole
    cut = plain[: len(plain) // 2]
    victim.write_bytes(gzip.compress(cut) if victim.suffix == ".gz" else cut)
    expect("truncated data", run_text(folder, changed(dataset={**runs.SWEEP["dataset"], "path": str(copy)})), BAD_INPUT,
           victim.name)
    network = json.loads((runs.SOURCE / "data/digits-cnn.json").read_text())
    network["layers"] = network["layers"][1:]
    (folder / "broken-cnn.json").write_text(json.dumps(network))
    expect("broken network", run_text(folder, changed(network=str(folder / "broken-cnn.json"))), BAD_INPUT,
           "broken-cnn.json", "/layers")


def command_line(folder):
    sweep = runs.write_sweep(folder)
    call = lambda *words: subprocess.run([runs.BINARY, *words], text=True, capture_output=True, env=runs.environment(),
                                        cwd=folder)
    expect("unknown command", call("rum"), USAGE, "rum", "run")
    expect("unknown flag", call("run", str(sweep), "--thread-count", "3"), USAGE, "--thread-count")
    expect("missing sweep argument", call("run"), USAGE, "sweep file")
    expect("negative unit size", call("run", str(sweep), "--unit-images", "-5"), USAGE, "--unit-images -5", "0 or more")
    expect("negative wait", call("run", str(sweep), "--disk-wait", "-1"), USAGE, "--disk-wait -1", "0 or more")
    expect("negative limit", call("query", str(folder), "--limit=-1"), USAGE, "--limit -1", "0 or more")
    expect("negative point", call("explain", str(sweep), "--point", "-1"), USAGE, "--point -1", "0 or more")
    expect("folder without a name", call("run", str(sweep), "-o", ""), USAGE, "--output ''", "folder")
    expect("unknown instruction set", call("run", str(sweep), "--isa", "zz"), USAGE, "--isa zz", "avx2, avx512")
    expect("bad --set", call("run", str(sweep), "--set", "adc.bitz=3"), BAD_INPUT, "adc.bitz", "adc.bits")
    expect("no such point", call("explain", str(sweep), "--point", "100000"), USAGE, "100000")
    expect("not a results folder", call("status", str(folder)), BAD_INPUT, str(folder), "no journal")
    expect("no database", call("query", str(folder)), BAD_INPUT, "points.jsonl")
    expect("unknown failpoint", subprocess.run(runs.command(sweep, folder / "f"), text=True, capture_output=True,
                                               env=runs.environment(CROSSGRID_FAILPOINTS="no.such=kill")), USAGE, "no.such")


def output(folder):
    sweep = runs.write_sweep(folder)
    out = folder / "kept"
    runs.run(sweep, out)
    before = runs.points(out)
    other = runs.write_sweep(folder, seed=99)
    expect("other seed in the folder", runs.run(other, out, check=False), CONFLICT, "seed", "--extend")
    if runs.points(out) != before:
        runs.fail("a refused run changed the database")

    first = subprocess.Popen(runs.command(runs.write_sweep(folder, trials=200), folder / "busy"), env=runs.environment(),
                             stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        while not list((folder / "busy").glob("journal-*.jsonl")) and first.poll() is None:
            pass
        if first.poll() is not None:
            runs.fail("the first run ended before the second one could meet it")
        expect("folder in use", runs.run(sweep, folder / "busy", check=False), BUSY, str(first.pid))
    finally:
        first.kill()
        first.wait()

    expect("unknown instruction set in a folder", runs.run(sweep, out, "--isa", "zz", check=False), USAGE, "zz", "avx512")
    expect("output is a file", runs.run(sweep, sweep, check=False), STORAGE, str(sweep))
    full_disk(folder, sweep)


def full_disk(folder, sweep):
    """A real full disk, where this user may mount one: the message says so and what was done is kept."""
    mount = folder / "small"
    mount.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=48k", "tmpfs", str(mount)], capture_output=True).returncode != 0:
        print("not tried: a full disk (mounting a small tmpfs needs root)")
        return
    try:
        many = runs.write_sweep(folder, trials=12)
        expect("disk full", runs.run(many, mount / "out", "--unit-images", "50", "--disk-wait", "1", check=False), STORAGE, "disk")
        kept = runs.units_recorded(mount / "out")
        if kept == 0:
            runs.fail("nothing was kept on the full disk")
        subprocess.run(["mount", "-o", "remount,size=8m", str(mount)], check=True)
        runs.run(many, mount / "out", "--unit-images", "50")
        runs.run(many, folder / "elsewhere", "--unit-images", "50")
        if runs.points(mount / "out") != runs.points(folder / "elsewhere"):
            runs.fail("after a full disk the database differs from an undisturbed one")
        print(f"disk full: {kept} units were kept, the same command continued to the same bytes")
    finally:
        subprocess.run(["umount", "-l", str(mount)], check=False)


def main():
    with tempfile.TemporaryDirectory() as name:
        for part in (sweeps, data, command_line, output):
            folder = Path(name) / part.__name__
            folder.mkdir()
            part(folder)


main()
