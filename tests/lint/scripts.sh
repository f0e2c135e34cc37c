#!/bin/sh
# SPDX-License-Identifier: MIT
# scripts.sh ROOT: shellcheck on every shell script.
set -eu
cd "$1"
command -v shellcheck >/dev/null || { echo 'skipped: shellcheck is not installed'; exit 77; }
find . \( -name node_modules -o -name '.git' -o -name 'build*' -o -name out \) -prune -o \
    -type f \( -name '*.sh' -o -path './.ci/run' \) -print0 | xargs -0 -r shellcheck
