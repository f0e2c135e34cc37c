#!/bin/sh
# SPDX-License-Identifier: MIT
# From the clips to the weights, in one go.
#
#   train/motion/retrain.sh BUILD_DIR [DATA_DIR] [WORK_DIR] [live] [KEY=VALUE...]
#
# BUILD_DIR: a meson build with the imported models. DATA_DIR: manifest.tsv and clips/ (default
# ../shared/data). WORK_DIR keeps what was seen and heard, so that a second run only trains.
# KEY=VALUE: changes to config.json; then the weights stay in WORK_DIR/weights. `live` in front of
# them: the net of low latency alone.
set -eu
root=$(cd "$(dirname "$0")/../.." && pwd)
build=${1:?usage: retrain.sh BUILD_DIR [DATA_DIR] [WORK_DIR] [live] [KEY=VALUE...]}
data=${2:-$root/../shared/data}
work=${3:-$build/train-motion}
shift $(($# < 3 ? $# : 3))
python=${PYTHON:-/usr/bin/python3}
config=$root/train/motion/config.json
clips_of() { # clips_of SPLIT...: their paths
    "$python" "$root/train/motion/data.py" "$data/manifest.tsv" "$config" "$@" | sed "s|^|$data/|"
}

# A hundred files a call: ONNX Runtime 1.30 reads the command line with a regular expression that
# overflows the stack when it is some 70 kB long.
ninja -C "$build" train/extract train/hear bench/bench-motion
mkdir -p "$work/clips" "$work/samples" "$work/variants" "$work/weights"
clips_of train val | xargs -n 100 "$build/train/extract" "$build/models" "$work/clips"
clips_of train val | xargs -n 100 "$build/train/hear" "$build/models" "$work/clips"
clips_of train | xargs -n 100 "$build/train/hear" --samples "$work/samples"
find "$work/samples" -name '*.f32' | sort | xargs -n 100 "$python" "$root/train/motion/augment.py" \
    "$work/samples" "$work/variants" "$(sed -n 's/.*"variants": \([0-9]*\).*/\1/p' "$config")"
find "$work/variants" -name '*.wav' | sort |
    xargs -n 100 "$build/train/hear" "$build/models" "$work/variants"
train() { # train [live] [KEY=VALUE...]
    OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 "$python" "$root/train/motion/train.py" \
        "$data/manifest.tsv" "$work/clips" "$work/variants" "$work/weights" "$@"
}
train "$@"
if [ $# -eq 0 ]; then
    train live
    cp "$work/weights/basis.bin" "$work/weights/mouth.bin" "$work/weights/live.bin" \
        "$work/weights/manifest.json" "$root/models/motion/"
    cp "$work/weights/motion_vectors.bin" "$work/weights/live_vectors.bin" \
        "$work/weights/live_rows.bin" "$root/tests/parity/"
    "$python" "$root/train/motion/sound_rows.py" "$root/tests/parity/speech_rows.bin"
fi
measure() { # measure [--live yes]: on people never trained on
    clips_of val | sed "s|^.*/|$work/clips/|; s|\$|.mouth|" |
        xargs "$build/bench/bench-motion" "$build/models" --weights "$work/weights" "$@"
}
[ "${1:-}" = live ] || measure
[ ! -e "$work/weights/live.bin" ] || measure --live yes
