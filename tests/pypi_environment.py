"""Environments of a test's own with packages of PyPI."""

import subprocess
import venv
from pathlib import Path


def python_with(folder, *installs):
    """The Python of a new environment in the folder, with the packages of each call of pip; None, saying why, where they
    can't be had."""
    try:
        venv.create(folder, with_pip=True)
    except subprocess.CalledProcessError as error:  # Debian's python3-venv is missing
        print(error)
        return None
    python = Path(folder) / "bin/python"
    for packages in installs:
        install = subprocess.run([python, "-m", "pip", "install", "--quiet", *packages], capture_output=True, text=True)
        if install.returncode != 0:
            print(install.stderr[-2000:])
            return None
    return python
