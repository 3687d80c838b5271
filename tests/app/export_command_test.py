"""`crossgrid export` writes a network that sweeps run as the one it was made of, and that ONNX's checker takes."""

import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path

import crossgrid_runs as runs
from crossgrid_runs import BAD_INPUT, STORAGE, USAGE, expect

NETWORK = runs.SOURCE / "data/digits-cnn.json"


def export(*words):
    return subprocess.run([runs.BINARY, "export", *map(str, words)], capture_output=True, text=True)


def metrics(folder, name, network, preprocess):
    sweep = {
        **runs.SWEEP,
        "network": str(network),
        "dataset": {**runs.SWEEP["dataset"], "preprocess": preprocess},
        "layers": [{"match": "/conv*", "adc.bits": 6}],
        "grid": {"core.style": ["balanced", "offset"]},
        "trials": 1,
    }
    path = folder / f"{name}.json"
    path.write_text(json.dumps(sweep))
    runs.run(path, folder / name)
    return [{key: value for key, value in json.loads(line).items() if key.endswith((".mean", ".std"))}
            for line in runs.points(folder / name).splitlines()]


def check_same_metrics(folder):
    """Layers have the names that `layers` match, and draw the same errors."""
    model = folder / "digits.onnx"
    result = export(NETWORK, "-o", model)
    if result.returncode != 0:
        runs.fail(f"{result.returncode}\n{result.stderr}")
    preprocess = json.loads(re.search(r'"preprocess": (\{.*\})', result.stdout).group(1))
    assert preprocess == json.loads(NETWORK.read_text())["preprocess"], result.stdout
    original = metrics(folder, "original", NETWORK, {})
    exported = metrics(folder, "exported", model, preprocess)
    assert original == exported, (original, exported)
    assert original[0] != original[1]
    again = folder / "again.onnx"
    assert export(model, "-o", again).returncode == 0
    return model, again


def check_errors(folder, model):
    expect("no output", export(NETWORK), USAGE, "-o OUT.onnx is missing")
    expect("no network", export("-o", folder / "x.onnx"), USAGE, "the network's file is missing")
    expect("another ending", export(NETWORK, "-o", folder / "x.pb"), USAGE, "x.pb: expected a name that ends in .onnx")
    expect("onto itself", export(model, "-o", folder / "." / "digits.onnx"), USAGE, "is the network itself")
    expect("missing network", export(folder / "none.onnx", "-o", folder / "x.onnx"), BAD_INPUT, "none.onnx")
    (folder / "cut.onnx").write_bytes(model.read_bytes()[:1000])
    expect("truncated network", export(folder / "cut.onnx", "-o", folder / "x.onnx"), BAD_INPUT, "cut.onnx", "truncated")
    expect("no such folder", export(NETWORK, "-o", folder / "none/x.onnx"), STORAGE, "none/x.onnx")
    assert not list(folder.glob("x.*"))


def check_by_onnx(models):
    try:
        import onnx
    except ImportError:
        print("SKIPPED: ONNX's checker needs python3-onnx")
        sys.exit(0)
    for path in models:
        model = onnx.load(path)
        onnx.checker.check_model(model, full_check=True)
        shape = [dim.dim_param or dim.dim_value for dim in model.graph.input[0].type.tensor_type.shape.dim]
        assert shape == ["batch", 1, 8, 8], shape
        names = [node.name for node in model.graph.node]
        assert names == [layer["name"] for layer in json.loads(NETWORK.read_text())["layers"]], names
        # A weight that is missing is noticed.
        del model.graph.initializer[0]
        try:
            onnx.checker.check_model(model, full_check=True)
        except onnx.checker.ValidationError:
            continue
        runs.fail("ONNX's checker takes a model without a weight")


def main():
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        model, again = check_same_metrics(folder)
        check_errors(folder, model)
        check_by_onnx([model, again])


main()
