#!/bin/sh
# SPDX-License-Identifier: MIT
# From the clips to the weights, in one go.
#
#   train/motion/retrain.sh BUILD_DIR [DATA_DIR] [WORK_DIR]
#
# BUILD_DIR: a meson build with the imported models. DATA_DIR: manifest.tsv and clips/ (default
# ../shared/data). WORK_DIR keeps what was extracted, so that a second run only trains.
set -eu
root=$(cd "$(dirname "$0")/../.." && pwd)
build=${1:?usage: retrain.sh BUILD_DIR [DATA_DIR] [WORK_DIR]}
data=${2:-$root/../shared/data}
work=${3:-$build/train-motion}
python=${PYTHON:-/usr/bin/python3}

ninja -C "$build" train/extract train/evaluate
mkdir -p "$work/clips" "$work/weights"
"$python" "$root/train/motion/data.py" "$data/manifest.tsv" "$root/train/motion/config.json" |
    sed "s|^|$data/|" |
    xargs "$build/train/extract" "$build/models" "$work/clips"
OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 "$python" "$root/train/motion/train.py" \
    "$data/manifest.tsv" "$work/clips" "$work/weights"
cp "$work/weights/basis.bin" "$work/weights/mouth.bin" "$work/weights/manifest.json" \
    "$root/models/motion/"
cp "$work/weights/motion_vectors.bin" "$root/tests/parity/"
"$python" "$root/train/motion/sound_rows.py" "$root/tests/parity/speech_rows.bin"
"$python" "$root/train/motion/data.py" "$data/manifest.tsv" "$root/train/motion/config.json" val |
    sed "s|^.*/|$work/clips/|; s|\$|.mouth|" |
    xargs "$build/train/evaluate" "$root/models/motion"
