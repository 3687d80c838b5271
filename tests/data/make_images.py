"""Images in every form that the folder reader knows, beside the pixels that PIL makes of them; NPZ files of NumPy.

make_images.py OUT writes OUT/CASE/test/CLASS/IMAGE and OUT/CASE.npy, the images in the order of a data set (N x height x
width, or x channels), as PIL decodes, resizes and crops them: torchvision's Resize and CenterCrop on PIL images.
"""

import struct
import sys
import zlib
from pathlib import Path

import numpy as np
from PIL import Image

random = np.random.default_rng(7)


def picture(height, width, channels=3):
    """Smooth shapes and noise, so that JPEG's and the resizing's arithmetic all matter."""
    y, x = np.mgrid[0:height, 0:width]
    waves = [np.sin(x / (2 + c) + c) * np.cos(y / (3 + c)) for c in range(channels)]
    image = 127 + 90 * np.stack(waves, -1) + random.normal(0, 25, (height, width, channels))
    image = np.clip(image, 0, 255).astype(np.uint8)
    return image[..., 0] if channels == 1 else image


def png(samples, depth, colour, path):
    """A PNG file by hand: forms that PIL reads but does not write."""
    height, width = samples.shape[:2]
    rows = samples.reshape(height, -1)
    if depth == 16:
        packed = [row.astype(">u2").tobytes() for row in rows]
    else:
        packed = [np.packbits(((row[:, None] >> np.arange(depth)[::-1]) & 1).astype(np.uint8)).tobytes() for row in rows]

    def chunk(kind, body):
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    header = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)
    pixels = zlib.compress(b"".join(b"\0" + row for row in packed))
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", pixels) + chunk(b"IEND", b""))


def colours(folder):
    """Every kind of file with colours, and grey ones among them; all 30 x 41."""
    first, second = folder / "ant", folder / "bee"
    image = Image.fromarray(picture(30, 41))
    grey = Image.fromarray(picture(30, 41, 1))
    image.save(first / "01.jpg", quality=80)
    image.save(first / "02.JPEG", quality=95, subsampling=0)
    image.save(first / "03.jpeg", quality=60, subsampling=1, progressive=True)
    grey.save(first / "04.jpg")
    exif = Image.Exif()
    exif[0x0112] = 6
    image.save(first / "05.jpg", exif=exif)
    image.save(second / "01.png")
    Image.fromarray(np.dstack([picture(30, 41), picture(30, 41, 1)])).save(second / "02.png")
    image.quantize(50).save(second / "03.png")
    image.quantize(7).save(second / "04.PNG", transparency=3)
    grey.save(second / "05.png")
    Image.merge("LA", (grey, grey)).save(second / "06.png")
    png(random.integers(0, 65536, (30, 41, 3)), 16, 2, second / "07.png")
    png(random.integers(0, 2, (30, 41)), 1, 0, second / "08.png")
    png(random.integers(0, 16, (30, 41)), 4, 0, second / "09.png")


def greys(folder):
    Image.fromarray(picture(30, 41, 1)).save(folder / "ant" / "1.jpg")
    Image.fromarray(picture(30, 41, 1)).save(folder / "bee" / "1.png")


def sizes(folder):
    shapes = [(37, 53), (53, 37), (100, 80), (64, 64), (20, 31), (21, 20), (200, 45), (32, 90)]
    for index, (height, width) in enumerate(shapes):
        Image.fromarray(picture(height, width)).save(folder / ("ant" if index < 4 else "bee") / f"{index}.png")


def torchvision_resize(image, size):
    """torchvision.transforms.Resize: an int is the shorter side."""
    if isinstance(size, int):
        short, long = sorted(image.size)
        if short == size:
            return image
        other = int(size * long / short)
        size = (size, other) if image.width > image.height else (other, size)
    return image.resize((size[1], size[0]), Image.BILINEAR)


def torchvision_crop(image, size):
    """torchvision.transforms.CenterCrop."""
    top, left = int(round((image.height - size[0]) / 2.0)), int(round((image.width - size[1]) / 2.0))
    return image.crop((left, top, left + size[1], top + size[0]))


def make(out, case, fill, mode="RGB", change=lambda image: image):
    folder = out / case / "test"
    for name in ("ant", "bee"):
        (folder / name).mkdir(parents=True)
    fill(folder)
    files = sorted(folder.glob("*/*"))
    pixels = [np.asarray(change(Image.open(file).convert(mode))) for file in files]
    np.save(out / f"{case}.npy", np.stack(pixels))


def make_npz(out):
    images = picture(7 * 5, 6, 1).reshape(7, 5, 6)
    labels = np.arange(7) % 3
    np.save(out / "arrays.npy", images)
    keras = {"x_train": images[:3], "y_train": labels[:3], "x_test": images, "y_test": labels}
    np.savez(out / "stored.npz", **keras)
    np.savez_compressed(out / "packed.npz", **keras)
    np.savez_compressed(out / "plain.npz", images=images, labels=labels[:, None].astype(np.uint8))
    (out / "splits").mkdir()
    np.savez_compressed(out / "splits" / "test.npz", images=images, labels=labels)
    large = random.integers(0, 9, (2000, 50, 60)).astype(np.uint8)  # 6 MB: shared by processes
    np.save(out / "large.npy", large)
    np.savez_compressed(out / "large.npz", x_test=large, y_test=np.arange(2000) % 10)


def main():
    out = Path(sys.argv[1])
    make(out, "colours", colours)
    make(out, "greys", greys, "L")
    make(out, "shorter", sizes, "RGB", lambda image: torchvision_crop(torchvision_resize(image, 40), (31, 40)))
    make(out, "exact", sizes, "RGB", lambda image: torchvision_resize(image, (33, 21)))
    make(out, "greys_exact", greys, "L", lambda image: torchvision_resize(image, (44, 17)))
    cmyk = out / "cmyk" / "test" / "ant"
    cmyk.mkdir(parents=True)
    Image.fromarray(picture(8, 8, 4), "CMYK").save(cmyk / "1.jpg")
    make_npz(out)


main()
