"""A numeric class promises the same bits on all of its processors: products run natively and on emulated processors of
other makers and caches (qemu-user), all as AVX2, and must agree to the bit."""

import os
import shutil
import subprocess
import sys

EMULATOR = "qemu-x86_64"
# Intel and AMD; caches of 4 MiB and 512 KiB at the second level.
PROCESSORS = ["Haswell", "EPYC"]


def lines_of(arguments, processor=None):
    command = [os.environ["CROSSGRID_PRODUCT_BITS"], *arguments]
    if processor:
        command = [EMULATOR, "-cpu", processor, *command]
    environment = dict(os.environ, DNNL_MAX_CPU_ISA="AVX2")
    done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert done.returncode == 0, f"{' '.join(command)}: exit {done.returncode}\n{done.stderr}"
    return done.stdout.splitlines()


def main():
    if not shutil.which(EMULATOR):
        print(f"SKIPPED: needs {EMULATOR} (Debian package qemu-user)")
        return
    native = lines_of([])
    assert native[0].startswith("host/avx2/"), native[0]
    assert len(native) > 15, native
    twin = lines_of(["--twin"])
    changed = sum(a != b for a, b in zip(native[1:], twin[1:]))
    assert changed == len(native) - 1, f"a weight that is larger by 1e-4 shows in {changed} products only"
    processors = PROCESSORS
    if "CROSSGRID_SLOW_SAMPLE" in os.environ:
        processors = [PROCESSORS[sum(os.environ["CROSSGRID_SLOW_SAMPLE"].encode()) % len(PROCESSORS)]]
    for processor in processors:
        found = lines_of([], processor)
        different = [f"  here   {a}\n  there  {b}" for a, b in zip(native, found) if a != b]
        assert native == found, f"{processor} differs:\n" + "\n".join(different)
        print(f"{processor}: {len(found) - 1} products give the same bits as this processor")


if __name__ == "__main__":
    sys.exit(main())
