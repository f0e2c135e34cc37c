#!/bin/sh
# SPDX-License-Identifier: MIT
# From the clips to src/speaker/axes.h, and how often it is known who speaks in random scenes.
#
#   train/speaker/retrain.sh BUILD_DIR [DATA_DIR] [WORK_DIR]
#
# BUILD_DIR: a meson build with the imported models. DATA_DIR: manifest.tsv and clips/ (default
# ../shared/data). WORK_DIR keeps what was seen and heard; that of train/motion/retrain.sh is fine.
set -eu
root=$(cd "$(dirname "$0")/../.." && pwd)
build=${1:?usage: retrain.sh BUILD_DIR [DATA_DIR] [WORK_DIR]}
data=${2:-$root/../shared/data}
work=${3:-$build/train-motion}
python=${PYTHON:-/usr/bin/python3}
export PYTHONPATH="$root/train/motion:$root/train/speaker"
models=$root/models/motion

ninja -C "$build" train/extract train/hear train/turns
mkdir -p "$work/clips" "$work/scenes"
for program in extract hear; do
    "$python" "$root/train/motion/data.py" "$data/manifest.tsv" "$root/train/motion/config.json" \
        train val measure | sed "s|^|$data/|" |
        xargs -n 100 "$build/train/$program" "$build/models" "$work/clips"
done
"$python" "$root/train/speaker/axes.py" "$data/manifest.tsv" "$work/clips" "$models" \
    "$root/src/speaker/axes.h"
ninja -C "$build" train/turns
"$python" "$root/train/speaker/scenes.py" "$data/manifest.tsv" "$work/clips" "$models" "$build" \
    "$work/scenes"
