#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# Builds the fuzz targets of tests/fuzz/ (clang, libFuzzer, ASan, UBSan) and runs each for a while on its corpus.
# The last line is `N passed, N failed, N skipped`.
#   tools/fuzz.sh [TARGET...] [--seconds S] [--seed N]     only those targets; S seconds each instead of 5; N: repeatable
set -u
cd "$(dirname "$0")/.." || exit 1

seconds=5 seed=0 targets=()
while [ $# -gt 0 ]; do
    case $1 in
    --seconds) seconds=${2:-}; shift ;;
    --seed) seed=${2:-}; shift ;;
    -h | --help) sed -n '3,5s/^# \{0,1\}//p' "$0"; exit 0 ;;
    -*) echo "fuzz: unknown option $1 (see --help)" >&2; exit 2 ;;
    *) [ -f "tests/fuzz/fuzz_$1.c" ] || { echo "fuzz: no target $1: there is no tests/fuzz/fuzz_$1.c" >&2; exit 2; }; targets+=("$1") ;;
    esac
    shift
done
[[ $seconds =~ ^[1-9][0-9]{0,5}$ ]] || { echo "fuzz: --seconds wants a number from 1 on" >&2; exit 2; }
[[ $seed =~ ^[0-9]{1,9}$ ]] || { echo "fuzz: --seed wants a number; 0 takes another each time" >&2; exit 2; }
if [ ${#targets[@]} -eq 0 ]; then
    for f in tests/fuzz/fuzz_*.c; do f=${f##*/fuzz_}; targets+=("${f%.c}"); done
fi

work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
mkdir -p build-test || exit 1

echo 'int LLVMFuzzerTestOneInput(const char *d, long n); int LLVMFuzzerTestOneInput(const char *d, long n) { return d && n ? 0 : 0; }' >"$work/probe.c"
if ! clang -fsanitize=fuzzer,address,undefined "$work/probe.c" -o "$work/probe" >"$work/probe.log" 2>&1; then
    echo "SKIP fuzz targets: clang with libFuzzer is not here (packages clang and libclang-rt-14-dev): $(head -n 1 "$work/probe.log")"
    echo "0 passed, 0 failed, ${#targets[@]} skipped"
    exit 0
fi

build="build-test/fuzz"
if [ ! -f $build/build.ninja ]; then
    CC=clang meson setup $build -Db_sanitize=address,undefined \
        "-Dc_args=-fsanitize=fuzzer-no-link -fno-sanitize-recover=undefined" >$build.log 2>&1 ||
        { tail -n 20 $build.log; echo "FAIL meson setup $build"; echo "0 passed, 1 failed, 0 skipped"; exit 1; }
fi
if ! ninja -C $build "${targets[@]/#/tests/fuzz/fuzz_}" >$build.log 2>&1; then
    grep -E 'error|FAILED|undefined' -A 5 $build.log | head -n 60
    echo "FAIL build in $build"
    echo "0 passed, 1 failed, 0 skipped"
    exit 1
fi

export RUNTIME_DIRECTORY=$work # what DPDK would leave in /var/run after a crash
passed=0 failed=0
for t in "${targets[@]}"; do
    crashes=$build/crashes/$t
    mkdir -p "$crashes" "$work/$t"
    timeout -k 5 $((seconds + 60)) $build/tests/fuzz/fuzz_"$t" -max_total_time="$seconds" -seed="$seed" -max_len=1600 -len_control=0 \
        -timeout=20 -rss_limit_mb=2048 -artifact_prefix="$crashes/" "$work/$t" tests/fuzz/corpus/"$t" >"$work/$t.log" 2>&1 </dev/null
    st=$?
    if [ $st -eq 0 ] && grep -q '^Done [1-9]' "$work/$t.log"; then
        passed=$((passed + 1))
        printf 'ok   fuzz %-8s %s\n' "$t" "$(grep '^Done' "$work/$t.log")"
        continue
    fi
    failed=$((failed + 1))
    grep -vE '^(#[0-9]+.(NEW|REDUCE|pulse|INITED)|INFO:)' "$work/$t.log" | tail -n 40
    echo "FAIL fuzz $t (exit status $st)"
    input=$(sed -n 's/.*Test unit written to //p' "$work/$t.log" | tail -n 1)
    [ -n "$input" ] && echo "     input: $PWD/$input" && echo "     again: $build/tests/fuzz/fuzz_$t $input"
done
echo "$passed passed, $failed failed, 0 skipped"
[ "$failed" -eq 0 ]
