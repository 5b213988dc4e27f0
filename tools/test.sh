#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# Sets up what is missing, builds without a warning, runs every test: checks, unit tests, the unit tests again under
# ASan and UBSan, fuzz targets, end-to-end tests in namespaces. The last line is `N passed, N failed, N skipped`.
#   tools/test.sh [--unit | --e2e] [NAME]     only those; NAME picks tests whose name contains it
set -u
cd "$(dirname "$0")/.."

kind=all name=
for a in "$@"; do
    case $a in
    --unit) kind=unit ;;
    --e2e) kind=e2e ;;
    -h | --help) sed -n '3,6s/^# \{0,1\}//p' "$0"; exit 0 ;;
    -*) echo "test: unknown option $a (see --help)" >&2; exit 2 ;;
    *) name=$a ;;
    esac
done

[ $kind = unit ] || [ "$(id -u)" = 0 ] || { echo "test: network namespaces need root: run it with sudo, or without root with --unit" >&2; exit 1; }
tools/setup.sh test || exit 1

passed=0 failed=0 skipped=0
finish() {
    echo "$passed passed, $failed failed, $skipped skipped"
    [ "$failed" -eq 0 ] && [ $((passed + skipped)) -gt 0 ]
    exit
}

# judge TITLE STATUS SECONDS LIMIT OUTPUT-FILE: counts one program; its last line, if it is a count, is added, else its exit
# status counts as one test.
judge() {
    local title=$1 st=$2 took=$3 limit=$4 out=$5 line
    echo "== $title ($took s)"
    line=$(tail -n 1 "$out")
    if [[ $line =~ ^([0-9]+)\ passed,\ ([0-9]+)\ failed,\ ([0-9]+)\ skipped$ ]]; then
        local p=${BASH_REMATCH[1]} f=${BASH_REMATCH[2]} s=${BASH_REMATCH[3]}
        # a program that counts no failure and still ends badly (a sanitiser, a crash at exit) has failed
        [ "$st" -ne 0 ] && [ "$f" -eq 0 ] && f=1
        passed=$((passed + p)) failed=$((failed + f)) skipped=$((skipped + s))
        [ "$f" -gt 0 ] && st=1
        grep -E '^(FAIL|SKIP)' "$out"
        echo "   $line"
    elif [ "$st" -eq 0 ]; then
        passed=$((passed + 1)) && echo "   ok"
    else
        failed=$((failed + 1))
        [ "$st" -eq 124 ] && echo "   did not end within $limit s"
    fi
    [ "$st" -ne 0 ] && { echo "FAIL $title (exit status $st), its last lines:"; tail -n 60 "$out" | sed 's/^/   | /'; }
    rm -f "$out"
}

# run TITLE TIMEOUT COMMAND...: one program
run() {
    local title=$1 limit=$2 out begin=$SECONDS
    shift 2
    out=$(mktemp)
    timeout -k 10 "$limit" "$@" >"$out" 2>&1 </dev/null
    judge "$title" $? $((SECONDS - begin)) "$limit" "$out"
}

# run_each TITLE TIMEOUT PROGRAM...: as many at a time as there are cores; told in the order given
run_each() {
    local title=$1 limit=$2 dir program name st took
    shift 2
    dir=$(mktemp -d)
    # shellcheck disable=SC2016
    printf '%s\0' "$@" | xargs -0 -r -P "$(nproc)" -n 1 bash -c 'begin=$SECONDS out=$0/${2##*/}
        timeout -k 10 "$1" "$2" >"$out" 2>&1 </dev/null
        echo "$? $((SECONDS - begin))" >"$out.status"' "$dir" "$limit"
    for program in "$@"; do
        name=${program##*/}
        read -r st took <"$dir/$name.status" || st=1 took=0
        judge "$title $name" "$st" "$took" "$limit" "$dir/$name"
    done
    rm -rf "$dir"
}

build() { # DIR OPTIONS...
    local dir=$1
    shift
    if [ ! -f "$dir/build.ninja" ]; then
        meson setup "$dir" "$@" >"$dir.log" 2>&1 || { cat "$dir.log"; echo "FAIL meson setup $dir"; return 1; }
    fi
    ninja -C "$dir" >"$dir.log" 2>&1 || { grep -E 'error|warning|FAILED|undefined' -A 5 "$dir.log" | head -n 60; echo "FAIL build in $dir"; return 1; }
}

unit_programs() { # DIR
    find "$1/tests/unit" "$1/tests/dialog" -maxdepth 1 -type f -name "test_*$name*" -perm -u+x | sort
}

mkdir -p build-test || { echo "test: the build folder cannot be made here; run it as who owns the checkout" >&2; exit 1; }
echo "== build"
build build-test/plain -Dwerror=true || { failed=$((failed + 1)); finish; }

if [ $kind != e2e ]; then
    if [ -z "$name" ]; then
        run layers 60 tools/check-layers.sh
        run format 60 tools/check-format.sh
        run parity 60 tools/parity.sh
        run hardening 60 tools/check-hardening.sh build-test/plain
        run analysis 900 tools/analyse.sh build-test/plain
    fi
    mapfile -t programs < <(unit_programs build-test/plain)
    run_each unit 240 "${programs[@]}"
    echo "== build with ASan and UBSan"
    if build build-test/asan -Dwerror=true -Db_sanitize=address,undefined; then
        export ASAN_OPTIONS=detect_leaks=1 UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1
        mapfile -t programs < <(unit_programs build-test/asan)
        run_each asan 600 "${programs[@]}"
        unset ASAN_OPTIONS UBSAN_OPTIONS
    else
        failed=$((failed + 1))
    fi
    # the same inputs each time: new ground is broken by hand
    [ -z "$name" ] && run fuzz 300 tools/fuzz.sh --seconds 4 --seed 1
    [[ fuzz-dialogs == *"$name"* ]] && run fuzz-dialogs 300 tools/fuzz-dialogs.sh --seconds 60 --seed 1
fi

if [ $kind != unit ]; then
    for t in tests/e2e/*.sh; do
        [[ $t == *"$name"* ]] && TRUNKLINE_BUILD=$PWD/build-test/plain run "e2e $(basename "$t" .sh)" 300 "$t"
    done
fi
finish
