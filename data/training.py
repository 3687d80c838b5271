"""What the training scripts of the shipped networks share: layers, the training loop, and the files they write.

PyTorch on one CPU thread with fixed seeds: the same machine and PyTorch give the same network again. Another processor
may round differently and end at slightly different weights, so the trained networks are kept beside their scripts.
"""

import json
import pathlib
import time

import numpy
import torch
from torch import nn
from torch.nn import functional

from idx import read_idx

SOURCE = pathlib.Path(__file__).resolve().parent.parent
# Standard deviation of the noise on weights in training, as a fraction of the layer's largest weight. Networks trained
# so spread what they know over more weights, and lose less to quantisation and to errors of the cells.
WEIGHT_NOISE = 0.02


def noisy(weight, training):
    if not training:
        return weight
    return weight + WEIGHT_NOISE * weight.detach().abs().max() * torch.randn_like(weight)


class Conv2d(nn.Conv2d):
    def forward(self, x):
        return functional.conv2d(x, noisy(self.weight, self.training), self.bias, self.stride, self.padding)


class Linear(nn.Linear):
    def forward(self, x):
        return functional.linear(x, noisy(self.weight, self.training), self.bias)


def load_split(folder, split, scale):
    """Images as N x 1 x height x width floats, pixels times scale, and labels."""
    folder = pathlib.Path(folder)
    images = read_idx(folder / f"{split}-images-idx3-ubyte.gz")
    labels = read_idx(folder / f"{split}-labels-idx1-ubyte.gz")
    return torch.from_numpy(images[:, None] * numpy.float32(scale)), torch.from_numpy(labels.astype(numpy.int64))


def logits_of(model, images):
    with torch.no_grad():
        return torch.cat([model(batch) for batch in images.split(500)])


def train(model, images, labels, augment, epochs, batch, rate, weight_decay):
    """Stochastic gradient descent with momentum under a one-cycle schedule; returns the model in evaluation mode."""
    steps = -(-len(images) // batch)
    optimizer = torch.optim.SGD(model.parameters(), rate, momentum=0.9, weight_decay=weight_decay, nesterov=True)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, rate, epochs=epochs, steps_per_epoch=steps, pct_start=0.2)
    started = time.monotonic()
    model.train()
    for epoch in range(epochs):
        total = 0.0
        for chosen in torch.randperm(len(images)).split(batch):
            loss = functional.cross_entropy(model(augment(images[chosen])), labels[chosen], label_smoothing=0.05)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
            total += loss.item() * len(chosen)
        print(f"epoch {epoch + 1:3} of {epochs}: loss {total / len(images):.4f}, {time.monotonic() - started:.0f} s",
              flush=True)
    return model.eval()


def number(value):
    """Shortest text that reads back to the same float32."""
    return str(numpy.float32(value))


def rows(matrix):
    """A matrix as JSON text, one row per line."""
    return "[\n" + ",\n".join("      [" + ", ".join(map(number, row)) + "]" for row in matrix) + "\n    ]"


def layer_text(name, op, source, module):
    fields = [f'"name": "{name}"', f'"op": "{op}"', f'"inputs": ["{source}"]']
    if op == "conv2d":
        fields += [f'"kernel": {list(module.kernel_size)}', f'"stride": {module.stride[0]}',
                   f'"padding": {module.padding[0]}']
    elif op == "max_pool2d":
        fields += [f'"size": {module.kernel_size}', f'"stride": {module.stride}', f'"padding": {module.padding}']
    text = "    {" + ", ".join(fields)
    if op in ("conv2d", "linear"):
        weight = module.weight.detach().flatten(1).numpy()
        bias = module.bias.detach().numpy()
        text += f',\n    "weights": {rows(weight)},\n    "bias": [' + ", ".join(map(number, bias)) + "]"
    return text + "}"


def network_text(name, about, shape, scale, model):
    """A network file (docs/network-format.md) of a plain sequence of layers."""
    kinds = {Conv2d: ("conv", "Conv", "conv2d"), Linear: ("fc", "Gemm", "linear"), nn.ReLU: ("relu", "Relu", "relu"),
             nn.MaxPool2d: ("pool", "MaxPool", "max_pool2d"), nn.Flatten: ("flatten", "Flatten", "flatten")}
    layers, seen, source = [], {}, "image"
    for module in model:
        noun, operator, op = kinds[type(module)]
        seen[noun] = seen.get(noun, 0) + 1
        layer = f"/{noun}{seen[noun]}/{operator}"
        layers.append(layer_text(layer, op, source, module))
        source = layer
    channels, height, width = shape
    return (f'{{\n  "format": "crossgrid-network",\n  "version": 1,\n  "name": "{name}",\n  "about": {json.dumps(about)},\n'
            f'  "input": {{"channels": {channels}, "height": {height}, "width": {width}}},\n'
            f'  "preprocess": {{"scale": {scale!r}}},\n  "layers": [\n' + ",\n".join(layers) + "\n  ]\n}\n")


def write_results(name, about, scale, model, dataset, images, labels):
    """Writes data/NAME.json, and for the tests what PyTorch computes with it in double precision."""
    (SOURCE / "data" / f"{name}.json").write_text(network_text(name, about, images.shape[1:], scale, model))
    # In double from the bytes on: the reference must not carry the rounding of pixel * scale either.
    exact = (images / numpy.float32(scale)).round().double() * scale
    logits = logits_of(model.double(), exact)
    correct = int((logits.argmax(1) == labels).sum())
    loss = float(functional.cross_entropy(logits, labels))
    lines = ",\n".join("    [" + ", ".join(f"{x:.12g}" for x in row) + "]" for row in logits[:100].tolist())
    (SOURCE / "tests" / "data" / "reference" / f"{name}-logits.json").write_text(
        f'{{\n  "network": "data/{name}.json",\n  "dataset": "{dataset}",\n  "split": "test",\n'
        f'  "made_by": "data/train_{name.replace("-", "_")}.py, PyTorch {torch.__version__}, float64",\n'
        f'  "images": {len(labels)},\n  "correct": {correct},\n  "mean_loss": {loss:.12g},\n'
        f'  "first": 0,\n  "count": 100,\n  "logits": [\n{lines}\n  ]\n}}\n')
    print(f"{name}: {correct} of {len(labels)} test images right ({100 * correct / len(labels):.2f} %)")
