"""torchvision's classifiers with random weights, exported to ONNX: logits to 1e-4 of torch's.

Wants Debian's python3-torch and python3-torchvision, 4 GB of memory and 1 GB in the temporary folder. Names on the command
line choose models.
"""

import os
import random
import subprocess
import sys
import time

from torch_models import check, torch

try:
    from torchvision import models
except ImportError:
    torch = None
if torch is None:
    print("SKIPPED: needs python3-torch and python3-torchvision")
    sys.exit(0)

# One of each family that torch 1.13 can export (Swin v2 it can't), and those whose larger ones differ in more than size.
NAMES = (
    "alexnet convnext_tiny densenet121 efficientnet_b0 efficientnet_v2_s googlenet inception_v3 maxvit_t mnasnet1_0 "
    "mobilenet_v2 mobilenet_v3_large mobilenet_v3_small regnet_x_400mf regnet_y_400mf resnet18 resnet50 resnext50_32x4d "
    "shufflenet_v2_x1_0 squeezenet1_0 squeezenet1_1 swin_t vgg16 vit_b_16"
).split()


def make(name):
    # Theirs would be dropped from the exported model.
    options = {"aux_logits": False, "init_weights": False} if name in ("googlenet", "inception_v3") else {}
    return models.get_model(name, weights=None, **options)


def main():
    names = sys.argv[1:] or NAMES
    sample = os.environ.get("CROSSGRID_SLOW_SAMPLE")
    if sample is not None:
        names = random.Random(sample).sample(names, 2)
    start, failed = time.monotonic(), []
    for place, name in enumerate(names):
        size = 299 if name == "inception_v3" else 224
        # Newer and optimised graphs every other time.
        opset, plain = ((13, True), (17, False))[place % 2]
        try:
            check(name, lambda: make(name), (3, size, size), opset, plain)
        except (AssertionError, RuntimeError, subprocess.CalledProcessError) as error:
            failed.append(name)
            print(f"{name}: {error}", flush=True)
    print(f"{len(names)} models in {time.monotonic() - start:.0f} s; failed: {failed}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
