#!/bin/sh
# SPDX-License-Identifier: MIT
# exports.sh LIBRARY HEADERS...: only lip_ names leave the library, and every function that the
# public headers promise does.
set -eu
library=$1
shift
exported=$(nm -D --defined-only "$library" | awk '{ print $3 }' | sed 's/@.*//' |
    grep -v '^__' | sort -u)
promised=$(cat "$@" | tr '\n' ' ' | sed 's/\/\*[^*]*\*\// /g' | tr ';' '\n' |
    sed -n 's/.*LIP_API [^(]*[ *]\(lip_[a-z0-9_]*\)(.*/\1/p' | sort -u)
bad=$(printf '%s\n' "$exported" | grep -v '^lip_' || true)
missing=$(printf '%s\n' "$promised" | while read -r name; do
    printf '%s\n' "$exported" | grep -qx "$name" || echo "$name"
done)
[ -z "$bad" ] || { echo 'leave the library without being public:'; echo "$bad"; }
[ -z "$missing" ] || { echo 'promised by a header, but not in the library:'; echo "$missing"; }
[ -n "$promised" ] || { echo 'no public function found'; exit 1; }
[ -z "$bad$missing" ] || exit 1
echo "$(printf '%s\n' "$exported" | wc -l) names exported"
