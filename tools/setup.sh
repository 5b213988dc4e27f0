#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# Brings a Debian 12 machine to where Trunkline builds, runs its demo and its tests:
#   tools/setup.sh build|demo|test     installs the packages of that level and those below it
# Asks nothing, installs only what is missing, and keeps packages from starting services.
set -eu
cd "$(dirname "$0")/.."
# shellcheck source=tools/packages.sh
. tools/packages.sh

level=${1:-demo}
case $level in
-h | --help) sed -n '3,5s/^# \{0,1\}//p' "$0"; exit 0 ;;
build) want=("${packages_build[@]}") ;;
demo) want=("${packages_build[@]}" "${packages_demo[@]}") ;;
test) want=("${packages_build[@]}" "${packages_demo[@]}" "${packages_test[@]}") ;;
*) echo "setup: '$level' is not a level: use build, demo or test" >&2; exit 2 ;;
esac

missing=()
for p in "${want[@]}"; do
    # ${Status} of a removed package is "deinstall ok config-files": only "ok installed" counts
    case $(dpkg-query -W -f '${Status}' "$p" 2>/dev/null) in
    *"ok installed") ;;
    *) missing+=("$p") ;;
    esac
done
[ ${#missing[@]} -eq 0 ] && exit 0

if [ "$(id -u)" != 0 ]; then
    echo "setup: these packages are missing and only root can install them: ${missing[*]}" >&2
    exit 1
fi

echo "setup: installing ${#missing[@]} packages: ${missing[*]}"
export DEBIAN_FRONTEND=noninteractive
log=$(mktemp)
# A package must not start a service: policy-rc.d is Debian's own way to say so. Put back what was there.
policy=/usr/sbin/policy-rc.d
saved=
if [ -e $policy ]; then saved=$(mktemp); cp -p $policy "$saved"; fi
restore() { if [ -n "$saved" ]; then mv "$saved" $policy; else rm -f $policy; fi; rm -f "$log"; }
trap restore EXIT
printf '#!/bin/sh\nexit 101\n' >$policy
chmod 755 $policy
if ! { apt-get update && apt-get install -y --no-install-recommends "${missing[@]}"; } >"$log" 2>&1; then
    tail -n 20 "$log" >&2
    echo "setup: apt-get could not install: ${missing[*]} (its last lines are above)" >&2
    exit 1
fi
