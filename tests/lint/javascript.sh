#!/bin/sh
# SPDX-License-Identifier: MIT
# javascript.sh ROOT: every module can be read by node.
set -eu
cd "$1"
command -v node >/dev/null || { echo 'skipped: node is not installed'; exit 77; }
for file in studio/*.js tests/*/*.mjs; do
    node --check --input-type=module <"$file" || { echo "in $file"; exit 1; }
done
