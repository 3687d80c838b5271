#!/usr/bin/env bash
# Installs what Crossgrid needs to build, run and test on Debian 12 and Ubuntu 24.04, by package name.
# Installs nothing twice and needs no network when all is there. Uses sudo only where it is not root and sudo exists.
# CUDA (nvcc, cuBLAS, NCCL >= 12.0) is optional and comes from NVIDIA's packages, not from Debian's archive:
#   https://developer.nvidia.com/cuda-downloads ; put nvcc on PATH and configure again. Without it all else is built.
set -euo pipefail

build=(g++ cmake ninja-build ccache git pkg-config
  libopenmpi-dev openmpi-bin libdnnl-dev ocl-icd-opencl-dev libboost-program-options-dev libboost-dev nlohmann-json3-dev
  libsimdjson-dev libeigen3-dev libspdlog-dev libfmt-dev zlib1g-dev libdeflate-dev libxxhash-dev libzip-dev libjpeg-dev libpng-dev
  libonnx-dev libprotobuf-dev)
tests=(libgtest-dev libgmock-dev libbenchmark-dev libvalijson-dev clang libclang-rt-dev libomp-dev clang-format
  clang-tidy valgrind jq python3-numpy python3-onnx python3-pil python3-matplotlib dataset-fashion-mnist libonnx-testdata
  ngspice python3-venv
  munge slurmctld slurmd slurm-client iproute2 qemu-user)

# Ubuntu 24.04 has oneDNN 3.x as libdnnl-dev too; only its clang tools and the data set differ.
available() { apt-cache show "$1" >/dev/null 2>&1; }
installed() { dpkg-query -W -f='${db:Status-Status}' "$1" 2>/dev/null | grep -qx installed; }

missing=()
for package in "${build[@]}" "${tests[@]}"; do
  installed "$package" || missing+=("$package")
done
if [ ${#missing[@]} -eq 0 ]; then
  echo "install-deps: all packages are there"
  exit 0
fi
if ! command -v apt-get >/dev/null; then
  echo "install-deps: this script knows Debian and Ubuntu only; install the equivalents of: ${missing[*]}" >&2
  exit 1
fi
as_root=()
if [ "$(id -u)" -ne 0 ]; then
  if ! command -v sudo >/dev/null; then
    echo "install-deps: not root and no sudo; ask an administrator to run: apt-get install ${missing[*]}" >&2
    exit 1
  fi
  as_root=(sudo)
fi
echo "install-deps: installing ${missing[*]}"
"${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get update -qq
wanted=()
for package in "${missing[@]}"; do
  if available "$package"; then
    wanted+=("$package")
  else
    echo "install-deps: no package '$package' here; going on without it" >&2
  fi
done
"${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${wanted[@]}"
