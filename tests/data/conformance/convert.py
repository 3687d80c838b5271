#!/usr/bin/python3
"""Writes arrays.bin from the arrays.npz that the vectors were published as.

    convert.py /path/to/arrays.npz arrays.bin

Each array is one line "name type dimension dimension ...", then its elements, little-endian, last index fastest.
Types: float32, float64, complex128 (pairs of float64).
"""
import sys

import numpy as np


def main(source, target):
    with np.load(source) as arrays, open(target, "wb") as out:
        for name in sorted(arrays.files):
            array = np.ascontiguousarray(arrays[name])
            out.write(" ".join([name, str(array.dtype), *map(str, array.shape)]).encode() + b"\n")
            out.write(array.astype(array.dtype.newbyteorder("<")).tobytes())


if __name__ == "__main__":
    main(*sys.argv[1:])
