#!/bin/sh
# SPDX-License-Identifier: MIT
# From texts and clips to the net that hears visemes, in one go.
#
#   train/visemes/retrain.sh BUILD_DIR [DATA_DIR] [MOTION_WORK] [WORK_DIR] [KEY=VALUE...]
#
# BUILD_DIR: a meson build with the imported models. DATA_DIR: manifest.tsv and clips/ (default
# ../shared/data). MOTION_WORK: the work folder of train/motion/retrain.sh, which has heard the
# clips. WORK_DIR keeps what espeak-ng (libespeak-ng1) spoke, so that a second run only trains.
# KEY=VALUE: changes to config.json; then the weights stay in WORK_DIR/weights.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
root=$here/../..
build=${1:?usage: retrain.sh BUILD_DIR [DATA_DIR] [MOTION_WORK] [WORK_DIR] [KEY=VALUE...]}
data=${2:-$root/../shared/data}
motion=${3:-$build/train-motion}
work=${4:-$build/train-visemes}
shift $(($# < 4 ? $# : 4))
python=${PYTHON:-/usr/bin/python3}

ninja -C "$build" train/extract train/hear
mkdir -p "$work/spoken" "$work/variants" "$work/weights"
[ -e "$work/spoken/labels.tsv" ] || "$python" "$here/speak.py" "$work/spoken" "$root/docs" 1000
find "$work/spoken" -name '*.wav' | sort |
    xargs -n 100 "$build/train/hear" "$build/models" "$work/spoken"
# The clips whose words are known, also those on which the net is measured.
"$python" "$here/spoken.py" "$data/manifest.tsv" | sed "s|^|$data/|" |
    xargs -n 100 "$build/train/hear" "$build/models" "$motion/clips"
touch "$work/variants/variants.tsv"
OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 "$python" "$here/train.py" "$data/manifest.tsv" \
    "$motion/clips" "$motion/variants" "$work/spoken" "$work/variants" "$work/weights" "$@"
if [ $# -eq 0 ]; then
    cp "$work/weights/visemes.bin" "$work/weights/visemes.json" "$root/models/motion/"
    cp "$work/weights/viseme_vectors.bin" "$root/tests/parity/"
fi
