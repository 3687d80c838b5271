#!/usr/bin/python3
"""Trains data/fashion-cnn.json on the training images of Fashion-MNIST (Debian's dataset-fashion-mnist; about ten
minutes on one core).

    /usr/bin/python3 data/train_fashion_cnn.py
"""

import torch
from torch import nn

from training import Conv2d, Linear, load_split, train, write_results

DATASET = "/usr/share/datasets/fashion-mnist"
SCALE = 1 / 255


def mirrored(images):
    """Half of the images, chosen at random, left-right swapped."""
    chosen = torch.rand(len(images), 1, 1, 1) < 0.5
    return torch.where(chosen, images.flip(3), images)


def main():
    torch.manual_seed(1)
    torch.set_num_threads(1)
    model = nn.Sequential(
        Conv2d(1, 16, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
        Conv2d(16, 32, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
        Conv2d(32, 64, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
        nn.Flatten(), Linear(576, 10))
    images, labels = load_split(DATASET, "train", SCALE)
    train(model, images, labels, mirrored, epochs=24, batch=128, rate=0.15, weight_decay=1e-4)
    images, labels = load_split(DATASET, "t10k", SCALE)
    write_results("fashion-cnn", "three convolutions and one linear layer for Fashion-MNIST", SCALE, model, DATASET, images,
                  labels)


if __name__ == "__main__":
    main()
