#!/bin/sh
# SPDX-License-Identifier: MIT
# spelling.sh ROOT: codespell over prose and comments; tests/lint/words.txt are fine words.
set -eu
cd "$1"
command -v codespell >/dev/null || { echo 'skipped: codespell is not installed'; exit 77; }
codespell --quiet-level=2 --ignore-words=tests/lint/words.txt \
    --skip='./.git,./node_modules,./build*,./out,*.json,*.svg,./fuzz/corpus,*.onnx,*.bin,*.png' .
