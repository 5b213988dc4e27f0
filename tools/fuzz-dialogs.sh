#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# Plays random dialogues against control, built with ASan and UBSan: several parties, real dialogs, valid moves mixed with wrong
# ones, a dataplane that refuses and dies, settings that are mixed. The media of an answered call must go to who has answered, each 2xx
# must get its ACK, and after each run no call, session, transaction or timer may be left. What fails is kept as a ladder that
# test_dialog plays again. The last line is `N passed, N failed, N skipped`.
#   tools/fuzz-dialogs.sh [--seconds N] [--seed N]     N seconds instead of 60; the same seed, the same dialogues
set -u
cd "$(dirname "$0")/.." || exit 1

seconds=60 seed=1
while [ $# -gt 0 ]; do
    case $1 in
    --seconds) seconds=${2:-}; shift ;;
    --seed) seed=${2:-}; shift ;;
    -h | --help) sed -n '3,7s/^# \{0,1\}//p' "$0"; exit 0 ;;
    *) echo "fuzz-dialogs: unknown option $1 (see --help)" >&2; exit 2 ;;
    esac
    shift
done
[[ $seconds =~ ^[1-9][0-9]{0,5}$ ]] || { echo "fuzz-dialogs: --seconds wants a number from 1 on" >&2; exit 2; }
[[ $seed =~ ^[0-9]{1,18}$ ]] || { echo "fuzz-dialogs: --seed wants a number" >&2; exit 2; }

build=build-test/asan
mkdir -p build-test/dialogs || exit 1
if [ ! -f $build/build.ninja ]; then
    meson setup $build -Dwerror=true -Db_sanitize=address,undefined >$build.log 2>&1 ||
        { tail -n 20 $build.log; echo "FAIL meson setup $build"; echo "0 passed, 1 failed, 0 skipped"; exit 1; }
fi
if ! ninja -C $build tests/dialog/fuzz_dialog >$build.log 2>&1; then
    grep -E 'error|FAILED|undefined' -A 5 $build.log | head -n 60
    echo "FAIL build in $build"
    echo "0 passed, 1 failed, 0 skipped"
    exit 1
fi
export ASAN_OPTIONS=detect_leaks=1 UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1
exec timeout -k 10 $((seconds + 120)) $build/tests/dialog/fuzz_dialog --seconds "$seconds" --seed "$seed" --out build-test/dialogs
