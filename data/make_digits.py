#!/usr/bin/python3
"""Makes data/digits from the copy of the UCI optical digits in Debian's python3-sklearn.

    /usr/bin/python3 data/make_digits.py

The 1,797 images keep their order: the first 1,197 are the split 'train', the last 600 the split 'test'. Neighbours in
the file were mostly written by the same hand, so a cut by position leaves most of the test's writers out of training.
"""

import pathlib

import numpy
from sklearn.datasets import load_digits

from idx import write_idx_gz

TEST_IMAGES = 600


def main():
    digits = load_digits()
    pixels = digits.images.astype(numpy.uint8)
    labels = digits.target.astype(numpy.uint8)
    assert pixels.shape == (1797, 8, 8) and numpy.array_equal(pixels, digits.images) and pixels.max() == 16
    folder = pathlib.Path(__file__).resolve().parent / "digits"
    folder.mkdir(exist_ok=True)
    cut = len(pixels) - TEST_IMAGES
    for split, images in (("train", slice(None, cut)), ("test", slice(cut, None))):
        write_idx_gz(folder / f"{split}-images-idx3-ubyte.gz", pixels[images])
        write_idx_gz(folder / f"{split}-labels-idx1-ubyte.gz", labels[images])
        print(f"{split}: {len(pixels[images])} images, per class {numpy.bincount(labels[images]).tolist()}")


if __name__ == "__main__":
    main()
