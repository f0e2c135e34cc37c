#!/bin/sh
# SPDX-License-Identifier: MIT
# nets.sh <node_modules> <folder of models> <nets_run>: nets.mjs, where all that it needs is there.
# Exit 77: skipped.
skip() {
    echo "skipped: $1"
    exit 77
}

command -v node >/dev/null || skip "no node"
command -v ffmpeg >/dev/null || skip "no ffmpeg"
[ -d "$1/@litertjs/core" ] || skip "no node_modules (npm ci --ignore-scripts)"
[ -f "$2/face_mesh.onnx" ] || skip "no nets in the build folder"
exec node "$(dirname "$0")/nets.mjs" "$@"
