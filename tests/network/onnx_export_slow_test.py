"""Exported networks in ONNX's own reference evaluator (onnx 1.13 or later, else of PyPI in an environment of the
test's own): Crossgrid's logits of the network itself, to 1e-5 of the largest."""

import importlib.util
import json
import os
import random
import struct
import subprocess
import sys
import tempfile
from pathlib import Path

from pypi_environment import python_with

TOLERANCE = 1e-5
IMAGES = 3
PEER = """
import json, sys
import numpy, onnx
from onnx.reference import ReferenceEvaluator
model = onnx.load(sys.argv[1])
onnx.checker.check_model(model, full_check=True)
images = numpy.load(sys.argv[2])
def logits():
    return ReferenceEvaluator(model).run(None, {model.graph.input[0].name: images})[0].tolist()
found = logits()
weights = [tensor for tensor in model.graph.initializer if len(tensor.dims) == 4]
middle = weights[len(weights) // 2]
middle.CopyFrom(onnx.numpy_helper.from_array(numpy.float32(1.01) * onnx.numpy_helper.to_array(middle), middle.name))
print("RESULT", json.dumps([found, logits()]))
"""


def peer_python(folder):
    """A Python that has ONNX's evaluator, or None."""
    if importlib.util.find_spec("onnx") and importlib.util.find_spec("onnx.reference"):
        return sys.executable
    return python_with(Path(folder) / "environment", ["onnx>=1.13"])


def write_npy(path, kind, shape, numbers):
    head = f"{{'descr': '{kind}', 'fortran_order': False, 'shape': {shape}, }}".ljust(117) + "\n"
    code = {"<f4": "f", "|u1": "B"}[kind]
    path.write_bytes(b"\x93NUMPY\x01\x00" + struct.pack("<H", len(head)) + head.encode()
                     + struct.pack(f"<{len(numbers)}{code}", *numbers))


def distance(found, expected):
    pairs = [(a, b) for one, other in zip(found, expected, strict=True) for a, b in zip(one, other, strict=True)]
    return max(abs(a - b) for a, b in pairs) / max(abs(b) for _, b in pairs)


def check(folder, python, network, shape):
    program = Path(os.environ["CROSSGRID_BINARY"])
    model = folder / "exported.onnx"
    subprocess.run([program, "export", network, "-o", model], check=True, stdout=subprocess.DEVNULL)
    size = shape[0] * shape[1] * shape[2]
    draw = random.Random(5)
    write_npy(folder / "test_images.npy", "<f4", (IMAGES, *shape), [draw.gauss(0, 1) for _ in range(IMAGES * size)])
    write_npy(folder / "test_labels.npy", "|u1", (IMAGES,), [0] * IMAGES)
    own = subprocess.run([program.parent / "network_logits", network, folder], check=True, stdout=subprocess.PIPE, text=True)
    expected = [[float(number) for number in line.split()] for line in own.stdout.splitlines()]
    peer = subprocess.run([python, "-c", PEER, model, folder / "test_images.npy"], check=True, stdout=subprocess.PIPE, text=True)
    found, twin = json.loads(peer.stdout.split("RESULT", 1)[1])
    off, changed = distance(found, expected), distance(twin, expected)
    print(f"{Path(network).name}: {off:.1e} of the largest logit, one tensor of 1.01 times its weights {changed:.1e}", flush=True)
    assert off <= TOLERANCE < changed, (network, off, changed)


def main():
    source, shared = Path(os.environ["CROSSGRID_SOURCE"]), Path(os.environ["CROSSGRID_SHARED"])
    with tempfile.TemporaryDirectory() as name:
        python = peer_python(name)
        if python is None:
            print("SKIPPED: needs ONNX's reference evaluator (python3-onnx 1.13 or later, or PyPI)")
            return
        folder = Path(name)
        check(folder, python, source / "data/digits-cnn.json", (1, 8, 8))
        check(folder, python, source / "data/fashion-cnn.json", (1, 28, 28))
        if not shared.joinpath("data").exists():
            print(f"SKIPPED: {shared}/data is missing (CROSSGRID_SHARED)")
            return
        for depth in (14, 20, 32, 56):
            check(folder, python, shared / f"data/resnet{depth}_cifar10.onnx", (3, 32, 32))


main()
