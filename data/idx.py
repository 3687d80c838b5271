"""Reads and writes the IDX files of the MNIST family: unsigned bytes, big-endian sizes, optionally gzipped."""

import gzip
import struct

import numpy


def read_idx(path):
    """The array of bytes in an IDX file, plain or gzipped."""
    with open(path, "rb") as file:
        packed = file.read(2) == b"\x1f\x8b"
    with (gzip.open if packed else open)(path, "rb") as file:
        data = file.read()
    zero, kind, dimensions = struct.unpack_from(">HBB", data)
    if zero != 0 or kind != 0x08:
        raise SystemExit(f"{path}: not an IDX file of unsigned bytes")
    shape = struct.unpack_from(f">{dimensions}I", data, 4)
    return numpy.frombuffer(data, numpy.uint8, offset=4 + 4 * dimensions).reshape(shape)


def write_idx_gz(path, array):
    """Writes an array of bytes as gzipped IDX; equal arrays give equal files (no time stamp, no name inside)."""
    header = struct.pack(f">HBB{array.ndim}I", 0, 0x08, array.ndim, *array.shape)
    with open(path, "wb") as file:
        with gzip.GzipFile(filename="", mode="wb", compresslevel=9, fileobj=file, mtime=0) as packed:
            packed.write(header + numpy.ascontiguousarray(array, numpy.uint8).tobytes())
