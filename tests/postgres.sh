#!/bin/sh
# SPDX-License-Identifier: MIT
# postgres.sh COMMAND…: runs it with LIPSYNC_TEST_DATABASE naming a PostgreSQL of its own, which
# lives in a temporary folder, has no network, and ends with it.
set -eu
bin=''
for each in /usr/lib/postgresql/*/bin; do
    [ ! -x "$each/initdb" ] || bin=$each
done
[ -n "$bin" ] || { echo 'skipped: no PostgreSQL'; exit 77; }
place=$(mktemp -d /tmp/lipsync-pg-XXXXXX)
as='' # PostgreSQL refuses to run as root
if [ "$(id -u)" = 0 ]; then
    id postgres >/dev/null 2>&1 || { echo 'skipped: no user postgres'; exit 77; }
    chown postgres "$place"
    as='setpriv --reuid=postgres --regid=postgres --clear-groups'
fi
end() {
    $as "$bin/pg_ctl" -D "$place/data" -m immediate stop >/dev/null 2>&1 || true
    rm -rf "$place"
}
trap end EXIT
trap 'exit 1' INT TERM
$as "$bin/initdb" -D "$place/data" -A trust -U lipsync --no-sync >/dev/null
$as "$bin/pg_ctl" -D "$place/data" -w -l "$place/log" \
    -o "-c listen_addresses= -c unix_socket_directories=$place -c fsync=off" start >/dev/null
LIPSYNC_TEST_DATABASE="postgresql://lipsync@/postgres?host=$place" "$@"
