#!/usr/bin/python3
"""Trains data/digits-cnn.json on the split 'train' of data/digits (six seconds on one core).

    /usr/bin/python3 data/train_digits_cnn.py
"""

import torch
from torch import nn
from torch.nn import functional

from training import SOURCE, Conv2d, Linear, load_split, train, write_results

SCALE = 1 / 16


def shifted(images):
    """Each batch moved by up to one pixel each way."""
    down, right = torch.randint(0, 3, (2,)).tolist()
    padded = functional.pad(images, (1, 1, 1, 1))
    return padded[:, :, down:down + images.shape[2], right:right + images.shape[3]]


def main():
    torch.manual_seed(1)
    torch.set_num_threads(1)
    model = nn.Sequential(
        Conv2d(1, 8, 3, padding=1), nn.ReLU(),
        Conv2d(8, 16, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
        nn.Flatten(), Linear(256, 10))
    images, labels = load_split(SOURCE / "data" / "digits", "train", SCALE)
    train(model, images, labels, shifted, epochs=60, batch=32, rate=0.05, weight_decay=1e-3)
    images, labels = load_split(SOURCE / "data" / "digits", "test", SCALE)
    write_results("digits-cnn", "two convolutions and one linear layer for the UCI optical digits (data/digits)", SCALE,
                  model, "data/digits", images, labels)


if __name__ == "__main__":
    main()
