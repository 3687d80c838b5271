"""The same images in every format give the same points: bytes to the byte, floats to the same metrics."""

import json
import sys
import tempfile
from pathlib import Path

import crossgrid_runs as runs
import numpy as np

try:
    from PIL import Image
except ImportError:
    print("SKIPPED: needs python3-pil")
    sys.exit(0)

sys.path.insert(0, str(runs.SOURCE / "data"))
from idx import read_idx, write_idx_gz  # noqa: E402

SMALL = {"trials": 1, "grid": {"adc.bits": [5, 7]}}


def digits(split):
    """Images and labels, sorted by label: in the order of a folder of classes."""
    folder = runs.SOURCE / "data/digits"
    images, labels = (read_idx(folder / f"{split}-{noun}-ubyte.gz") for noun in ("images-idx3", "labels-idx1"))
    order = np.argsort(labels, kind="stable")
    return images[order], labels[order]


def write_everywhere(out):
    """Folders and files by their names."""
    arrays = {}
    for split in ("train", "test"):
        images, labels = digits(split)
        arrays[f"x_{split}"], arrays[f"y_{split}"] = images, labels.astype(np.int64)
        for name, some in (("npy", images), ("planar", images[:, None]), ("floats", images.astype(np.float32)),
                           ("scaled", images / 16)):
            (out / name).mkdir(exist_ok=True)
            np.save(out / name / f"{split}_images.npy", some)
            np.save(out / name / f"{split}_labels.npy", labels[:, None])
        (out / "idx").mkdir(exist_ok=True)
        write_idx_gz(out / f"idx/{split}-images-idx3-ubyte.gz", images)
        write_idx_gz(out / f"idx/{split}-labels-idx1-ubyte.gz", labels)
        for index, (image, label) in enumerate(zip(images, labels)):
            folder = out / f"folder/{split}/{label}"
            folder.mkdir(parents=True, exist_ok=True)
            Image.fromarray(image).save(folder / f"{index:04}.png")
    np.savez_compressed(out / "digits.npz", **arrays)


def dataset(path, **preprocess):
    return {"path": str(path), "split": "test", **({"preprocess": preprocess} if preprocess else {})}


def points_of(folder, name, data, **changes):
    out = folder / f"out-{name}"
    runs.run(runs.write_sweep(folder, dataset=data, **SMALL, **changes), out)
    return runs.points(out)


def metrics(points):
    """Of every point, but what tells where it comes from."""
    rows = [json.loads(line) for line in points.splitlines()]
    return [{name: value for name, value in row.items() if name.endswith((".mean", ".std", "adc.bits"))} for row in rows]


def formats(folder):
    expected = points_of(folder, "idx", dataset(folder / "idx"))
    assert len(metrics(expected)) == 2 and "top1.mean" in metrics(expected)[0], expected
    for name in ("npy", "planar", "digits.npz", "folder"):
        if points_of(folder, name, dataset(folder / name)) != expected:
            runs.fail(f"{name}: other points than those of the same images as IDX")
    floats = points_of(folder, "floats", dataset(folder / "floats"))
    if metrics(floats) != metrics(expected):
        runs.fail(f"floats: other metrics\n{metrics(floats)}\n{metrics(expected)}")
    scaled = points_of(folder, "scaled", dataset(folder / "scaled", scale=1))
    if metrics(scaled) != metrics(expected):
        runs.fail("scaled floats: other metrics")
    network = json.loads((runs.SOURCE / "data/digits-cnn.json").read_text())
    del network["preprocess"]
    (folder / "plain-cnn.json").write_text(json.dumps(network))
    plain = points_of(folder, "plain", dataset(folder / "scaled"), network=str(folder / "plain-cnn.json"))
    if metrics(plain) != metrics(expected):
        runs.fail("floats without a scale are not taken as they are")


def geometry(folder):
    """A crop that leaves all is no change; images of another size do not fit the network."""
    same = points_of(folder, "same", dataset(folder / "npy", crop=8))
    assert metrics(same) == metrics(points_of(folder, "npy2", dataset(folder / "npy")))
    result = runs.run(runs.write_sweep(folder, dataset=dataset(folder / "folder", resize=10), **SMALL), folder / "bad",
                      check=False)
    assert result.returncode == 4 and "10x10x1" in result.stderr, result.stderr
    large = points_of(folder, "large", dataset(folder / "npy", resize=[10, 12], crop=8))
    assert metrics(large) != metrics(same), "resizing has no effect"


def labels_beyond_the_network(folder):
    labels = np.load(folder / "npy/test_labels.npy")
    labels[17] = 12
    np.save(folder / "npy/test_labels.npy", labels)
    result = runs.run(runs.write_sweep(folder, dataset=dataset(folder / "npy"), **SMALL), folder / "bad", check=False)
    assert result.returncode == 4, result.stderr
    for part in (f"image 17 of 600 images 8x8x1, 13 classes, {folder}/npy (npy) has label 12", "expected 0 to 9"):
        assert part in result.stderr, result.stderr


def main():
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_everywhere(folder)
        formats(folder)
        geometry(folder)
        labels_beyond_the_network(folder)


main()
