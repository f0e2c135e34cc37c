#!/bin/sh
# SPDX-License-Identifier: MIT
# What is in front of the mouth, over many people: first clips as they are (nothing may be found),
# then with things of known outline laid over them. Columns: see occlusion.c.
#   bench/quality/occlusion.sh BUILD_DIR MODELS_DIR CLIPS_DIR [CLIP...]
set -eu
if [ $# -lt 3 ]; then
    echo "usage: $0 BUILD_DIR MODELS_DIR CLIPS_DIR [CLIP...]" >&2
    exit 2
fi
build=$1 models=$2 clips=$3
shift 3
if [ ! -d "$clips" ]; then
    echo "skipped: no $clips" >&2
    exit 0
fi
if [ $# -eq 0 ]; then
    for clip in HDTF-KatieHill_001 JonnyBurger_001 Deepfake-original_001 advr-man_002 \
        RL2S-presenter_001 HL-woman-yellow_001 astorfi-oldman_001 VRT-5_001 Newsom_001 \
        HDTF-TedLieu_001 GRID-s1_001 GRID-blonde_001 HDTF-AOC_001 HDTF-AllenWest_001 \
        HDTF-Markey_001 HDTF-RDRadio2_001 HDTF-bald-senator_001 Hou-zh1_001 LRorg-jen_001 \
        MFA-spokesman_001 McGurk-man_001 VRT-1_001 advr-man_001 DBoyle-selfie_001 CNN-anchor_001 \
        LRorg-greenwoman_001 TR-manA_001; do
        "$build/bench/bench-occlusion" "$models" "$clips/$clip.mp4" --kinds none --frames 100
    done
    set -- Obama_001 GRID-s1_001 HDTF-TedLieu_001 LRorg-jen_001
fi
for clip; do
    "$build/bench/bench-occlusion" "$models" "$clips/${clip%.mp4}.mp4" --frames 75 \
        --kinds hand,mic,cup,card,hair --skin "$clips/HDTF-AOC_001.mp4"
done
