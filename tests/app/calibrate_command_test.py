"""Ranges that `crossgrid calibrate` writes give the results that calibration gives; edited and imported ones are used."""

import json
import shutil
import struct
import subprocess
import tempfile
from pathlib import Path

import crossgrid_runs as runs

GRID = {"adc.bits": [5, 7]}


def call(*words):
    return subprocess.run([runs.BINARY, *map(str, words)], capture_output=True, text=True)


def calibrate(*words):
    result = call("calibrate", *words)
    if result.returncode != 0:
        runs.fail(f"{result.args}: {result.returncode}\n{result.stderr}")
    return result.stdout


def write_npy(path, rows):
    head = f"{{'descr': '<f8', 'fortran_order': False, 'shape': ({len(rows)}, 2), }}".ljust(117) + "\n"
    numbers = [number for row in rows for number in row]
    path.write_bytes(b"\x93NUMPY\x01\x00" + struct.pack("<H", len(head)) + head.encode()
                     + struct.pack(f"<{len(numbers)}d", *numbers))


def metrics(out):
    return [{name: value for name, value in json.loads(line).items() if name.endswith((".mean", ".std"))}
            for line in runs.points(out).splitlines()]


def ids(out):
    return [json.loads(line)["point"] for line in runs.points(out).splitlines()]


def check_same_results(folder, sweep):
    """The ranges of point 0 (5 bits) are those that it runs with; 7 bits have other ranges by themselves."""
    ranges = folder / "ranges.json"
    text = calibrate(sweep, "--point", 0, "-o", ranges)
    document = json.loads(ranges.read_text())
    assert document["format"] == "crossgrid-ranges" and document["provenance"]["calibration"]["method"], document
    assert all(name in text for name in document["layers"]), text
    runs.run(sweep, folder / "images")
    runs.run(sweep, folder / "file", "--set", f"calibration.file={ranges}", ranks=0)
    by_images, by_file = metrics(folder / "images"), metrics(folder / "file")
    assert by_images[0] == by_file[0], (by_images[0], by_file[0])
    assert by_images[1] != by_file[1]
    kept = [json.loads(path.read_text())["layers"] for path in (folder / "images" / "ranges").iterdir()]
    assert len(kept) == 2 and document["layers"] in kept, kept
    assert not (folder / "file" / "ranges").exists()
    assert not set(ids(folder / "images")) & set(ids(folder / "file"))
    return ranges, document


def check_kept(folder, sweep):
    """An output folder's own ranges are those that its later runs take; a broken file is made anew."""
    runs.run(sweep, folder / "first", "--set", "trials=1")
    shutil.copytree(folder / "first" / "ranges", folder / "kept")
    for path in (folder / "kept").iterdir():
        document = json.loads(path.read_text())
        for layer in document["layers"].values():
            layer["adc"] = [[-0.01, 0.01]]
        path.write_text(json.dumps(document))
    for name, text in (("edited", None), ("broken", "{")):
        (folder / name).mkdir()
        shutil.copytree(folder / "kept", folder / name / "ranges")
        for path in (folder / name / "ranges").iterdir():
            path.write_text(text or path.read_text())
        runs.run(sweep, folder / name, "--set", "trials=1")
        assert (metrics(folder / name) == metrics(folder / "first")) == (name == "broken"), name
    for path in (folder / "first" / "ranges").iterdir():
        assert path.read_bytes() == (folder / "broken" / "ranges" / path.name).read_bytes()


def check_edited(folder, sweep, ranges, document):
    """What a layer's range is edited to is what its converters have, and another point."""
    name = next(iter(document["layers"]))
    document["layers"][name]["adc"] = [[-0.01, 0.01]]
    edited = folder / "edited.json"
    edited.write_text(json.dumps(document))
    runs.run(sweep, folder / "edited", "--set", f"calibration.file={edited}")
    assert metrics(folder / "edited") != metrics(folder / "file")
    assert not set(ids(folder / "edited")) & set(ids(folder / "file"))


def check_without_images(folder, sweep, ranges, document):
    """A file, or imports of all that is needed, and there need be no calibration images."""
    none = ("--set", "calibration.split=nothing")
    assert call("validate", sweep, *none).returncode == 4
    assert call("validate", sweep, *none, "--set", f"calibration.file={ranges}").returncode == 0
    layers = document["layers"]
    write_npy(folder / "adc.npy", [[-1 - k, 2 + k] for k in range(len(layers))])
    write_npy(folder / "dac.npy", [[0, 3 + k] for k in range(len(layers))])
    imported = folder / "imported.json"
    calibrate(sweep, *none, "--import-adc", folder / "adc.npy", "--import-dac", folder / "dac.npy", "-o", imported)
    found = json.loads(imported.read_text())
    assert list(found["layers"].values()) == [{"dac": [0, 3 + k], "adc": [[-1 - k, 2 + k]]} for k in range(len(layers))]
    assert list(found["layers"]) == list(layers) and found["provenance"]["adc_from"].endswith("adc.npy"), found
    # Only some imported: the others are calibrated.
    calibrate(sweep, "--import-adc", folder / "adc.npy", "-o", imported)
    mixed = json.loads(imported.read_text())["layers"]
    assert [entry["dac"] for entry in mixed.values()] == [entry["dac"] for entry in layers.values()]
    result = call("calibrate", sweep, *none, "--import-adc", folder / "adc.npy", "-o", imported)
    assert result.returncode == 4, result


def check_errors(folder, sweep, ranges, document):
    def refused(change, *parts):
        broken = json.loads(ranges.read_text())
        change(broken["layers"])
        path = folder / "broken.json"
        path.write_text(json.dumps(broken))
        result = call("run", sweep, "-o", folder / "none", "--set", f"calibration.file={path}")
        assert result.returncode == 4 and not (folder / "none").exists(), result
        assert all(part in result.stderr for part in (str(path), *parts)), result.stderr

    first = next(iter(document["layers"]))
    pointer = "/layers/" + first.replace("~", "~0").replace("/", "~1")
    refused(lambda layers: layers.pop(first), "/layers: has no ranges of this layer", first)
    refused(lambda layers: layers.update(other={}), "/layers/other", "no matrix layer of this name")
    refused(lambda layers: layers[first].update(dac=[1, 0]), f"{pointer}/dac", "lo < hi")
    refused(lambda layers: layers[first].update(adc=[[0, 1]] * 3), f"{pointer}/adc", "3 ranges, but core.slices is 1")
    for words, code, part in (
        ((sweep,), 2, "-o FILE is missing"),
        ((sweep, "-o", folder / "x.json", "--point", 9), 2, "points 0 to 1"),
        ((sweep, "-o", folder / "x.json", "--import-adc", folder / "none.npy"), 4, "none.npy"),
    ):
        result = call("calibrate", *words)
        assert result.returncode == code and part in result.stderr, (words, result)
    assert "--import-adc" in call("calibrate", "--help").stdout


def main():
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        sweep = runs.write_sweep(folder, grid=GRID, trials=1)
        ranges, document = check_same_results(folder, sweep)
        (folder / "stored").mkdir()
        check_kept(folder / "stored", sweep)
        check_edited(folder, sweep, ranges, document)
        check_without_images(folder, sweep, ranges, document)
        check_errors(folder, sweep, ranges, document)
    print("calibrate: ranges are written, read, edited, imported and checked")


main()
