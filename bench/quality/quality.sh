#!/bin/sh
# SPDX-License-Identifier: MIT
# The picture's self-check over many people: one line per clip and method, then the means.
#   bench/quality/quality.sh BUILD_DIR MODELS_DIR CLIPS_DIR [CLIP...]
# Columns: PSNR and SSIM of the lips (outer ring and .08 IOD around it), PSNR and SSIM of the mouth
# box (1.5 mouth widths, .85 of that high), then sharpness, jitter, energy across the mask's border,
# flicker of the teeth and grain, each against the real film.
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
    set -- GRID-blonde_001 GRID-s1_001 GRID-r8_001 GRID-a9_001 HDTF-AOC_001 HDTF-AllenWest_001 \
        HDTF-KatieHill_001 HDTF-Markey_001 HDTF-RDRadio2_001 HDTF-TedLieu_001 \
        HDTF-bald-senator_001 HL-woman-yellow_001 Hou-zh1_001 JonnyBurger_001 LRorg-jen_001 \
        MFA-spokesman_001 McGurk-man_001 Newsom_001 Obama_001 RL2S-presenter_001 VRT-1_001 \
        VRT-5_001 advr-man_001 astorfi-oldman_001
fi
out=$(mktemp)
trap 'rm -f "$out"' EXIT
for clip; do
    "$build/bench/bench-quality" "$models" "$clips/${clip%.mp4}.mp4" --frames 250 || true
done | tee "$out"
awk '{ for (i = 3; i <= 11; i++) if ($i !~ /nan/) { sum[$2, i] += $i; n[$2, i]++ }; lines[$2]++ }
    END {
        for (m in lines) {
            printf "%-28s %-8s", "mean of " lines[m], m
            for (i = 3; i <= 11; i++)
                printf i == 4 || i == 6 ? " %6.3f" : " %6.2f", n[m, i] ? sum[m, i] / n[m, i] : 0
            print ""
        }
    }' "$out"
