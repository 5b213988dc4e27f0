#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# Writes the reference part of docs/config.md and the table of docs/headers.md anew from the tables that the code uses.
#   tools/update-config-doc.sh [BUILD_DIR]
set -eu
cd "$(dirname "$0")/.."
ctl=${1:-build}/tools/ctl/trunklinectl
[ -x "$ctl" ] || { echo "update-config-doc: no $ctl; build first: meson setup build && ninja -C build" >&2; exit 1; }
new=$(mktemp)
trap 'rm -f "$new"' EXIT
sed '/^## Reference$/q' docs/config.md >"$new"
echo >>"$new"
"$ctl" config reference >>"$new"
cat "$new" >docs/config.md
sed '/^## Table$/q' docs/headers.md >"$new"
echo >>"$new"
"$ctl" config headers >>"$new"
cat "$new" >docs/headers.md
