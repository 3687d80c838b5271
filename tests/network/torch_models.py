"""Models exported from torch, and how far `network_logits` is from torch on them."""

import os
import subprocess
import tempfile
import time
import warnings
from pathlib import Path

try:
    import numpy
    import torch
except ImportError:
    torch = None

TOLERANCE = 1e-4  # of the largest logit


def unsettle(model, images):
    """Takes parameters from the constants they start as, and batch norms to the statistics of these images."""
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.min() == parameter.max():
                parameter.add_(0.2 * torch.randn_like(parameter))
        norms = [module for module in model.modules() if isinstance(module, torch.nn.modules.batchnorm._BatchNorm)]
        for norm in norms:
            norm.momentum = None
        if norms:
            model.train()(images)
    return model.eval()


def export(model, image, path, opset, plain):
    """plain: as the model was written, batch norms and sizes still in the graph and the batch open."""
    options = {"opset_version": opset, "input_names": ["image"], "output_names": ["logits"]}
    if plain:
        options |= {
            "dynamic_axes": {"image": {0: "batch"}, "logits": {0: "batch"}},
            "training": torch.onnx.TrainingMode.PRESERVE,
            "do_constant_folding": False,
        }
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of values that tracing takes for constants: they are
        torch.onnx.export(model, image, path, **options)


def own_logits(model, images):
    program = Path(os.environ["CROSSGRID_BINARY"]).parent / "network_logits"
    output = subprocess.run([program, model, images], check=True, stdout=subprocess.PIPE, text=True).stdout
    return numpy.array([[float(number) for number in line.split()] for line in output.splitlines()])


def distance(found, expected):
    assert found.shape == expected.shape, (found.shape, expected.shape)
    return abs(found - expected).max() / abs(expected).max()


def torch_logits(model, images):
    """One image at a time, as the exported model sees them."""
    with torch.no_grad():
        return numpy.concatenate([model(image[None]).numpy() for image in images]).astype(float)


def check(name, make, shape, opset=13, plain=True):
    """Prints how far both are apart; AssertionError where that is too far, or not enough with one tensor scaled."""
    torch.manual_seed(1)
    torch.set_num_threads(2)
    model = unsettle(make(), torch.randn(8, *shape))
    images = torch.randn(2, *shape)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.onnx"
        export(model, images[:1], path, opset, plain)
        numpy.save(Path(folder) / "test_images.npy", images.numpy())
        numpy.save(Path(folder) / "test_labels.npy", numpy.zeros(len(images), dtype="u1"))
        start = time.monotonic()
        found = own_logits(path, folder)
        seconds = time.monotonic() - start
    expected = torch_logits(model, images)
    off, apart = distance(found, expected), distance(expected[0], expected[1])
    weights = [parameter for parameter in model.parameters() if parameter.dim() > 1]
    with torch.no_grad():
        weights[len(weights) // 2].mul_(1.01)
    twin = distance(found, torch_logits(model, images))
    form = "as written" if plain else "optimised"
    print(
        f"{name} (opset {opset}, {form}): {off:.1e} of the largest logit, {seconds:.1f} s; "
        f"images {apart:.1e} apart, one tensor of 1.01 times its weights {twin:.1e}",
        flush=True,
    )
    assert off <= TOLERANCE < twin, (name, off, twin)
    assert apart > 10 * TOLERANCE, (name, apart)
