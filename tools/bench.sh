#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# The packet engine against the limits of this machine: sets up what is missing, builds, measures, prints a table.
#   tools/bench.sh [--quick] [--peers] [--json FILE] [--no-instructions] [option of trunkline-bench ...]
#     --quick              1,000 and 10,000 streams, the main arms, within a minute
#     --peers              then ours beside rtpengine and testpmd on veth interfaces (tools/bench/peers.sh); needs root
#     --json FILE          the result (see tools/bench/README.md); tables and plots go to a folder of that name without .json
#     --no-instructions    not under callgrind, which takes two minutes
# Huge pages are reserved for the run where it may (root) and given back afterwards; without them it runs on ordinary
# memory and says so. Figures need a quiet machine: everything else that runs is in them. Exit status: 0, or 1 when a
# packet did not pass the correctness gate.
set -u
cd "$(dirname "$0")/.." || exit 1

quick=0 huge=1 instructions=1 peers=0 json='' args=() previous=
for a in "$@"; do
    [ "$previous" = --json ] && json=$a
    previous=$a
    case $a in
    -h | --help) sed -n '3,12s/^# \{0,1\}//p' "$0"; exit 0 ;;
    --quick) quick=1 instructions=0 ;;
    --no-huge) huge=0; continue ;;
    --no-instructions) instructions=0; continue ;;
    --peers) peers=1; continue ;;
    esac
    args+=("$a")
done

pages_before=
work=$(mktemp -d /tmp/trunkline-bench.XXXXXX) || exit 1
cleanup() {
    trap - EXIT INT TERM
    rm -rf "$work"
    [ -z "$pages_before" ] || echo "$pages_before" >/proc/sys/vm/nr_hugepages
}
trap cleanup EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
[ $peers = 0 ] || [ "$(id -u)" = 0 ] || { echo "bench: --peers makes network namespaces: run it with sudo" >&2; exit 1; }
if [ $peers = 1 ] && [ -z "$json" ]; then
    json=$work/result.json
    args+=(--json "$json")
fi

tools/setup.sh test || exit 1
build=${TRUNKLINE_BUILD:-}
if [ -z "$build" ]; then
    build=$PWD/build
    echo "bench: building"
    log=$(mktemp)
    { [ -f build/build.ninja ] || meson setup build; } >"$log" 2>&1 && ninja -C build >>"$log" 2>&1 || { tail -n 30 "$log" >&2; rm -f "$log"; exit 1; }
    rm -f "$log"
fi

# Pages of 2 MB: sessions, keys and packets of the largest number of streams.
free_pages() { sed -n 's/^HugePages_Free: *//p' /proc/meminfo; }
want=$([ $quick = 1 ] && echo 128 || echo 640)
if [ $huge = 1 ] && [ "$(free_pages)" -lt "$want" ] && [ -w /proc/sys/vm/nr_hugepages ]; then
    pages_before=$(cat /proc/sys/vm/nr_hugepages)
    echo $((pages_before + want - $(free_pages))) >/proc/sys/vm/nr_hugepages
    echo "bench: reserved huge pages: $pages_before before, $(cat /proc/sys/vm/nr_hugepages) during the run"
fi
if [ $huge = 1 ] && [ "$(free_pages)" -lt "$want" ]; then
    echo "bench: $(free_pages) free huge pages, $want are needed: ordinary memory instead, so many streams cost more" >&2
    huge=0
fi
[ $huge = 1 ] || args+=(--no-huge)

commit=$(git describe --always --dirty 2>/dev/null)
load=$(cut -d' ' -f1 /proc/loadavg)
echo "bench: load average $load, $(nproc) cores, commit ${commit:-unknown}"
"$build/tools/bench/trunkline-bench" "${args[@]}" ${commit:+--commit "$commit"}
status=$?

# Instructions a packet: callgrind counts those of the timed part for N and 2N packets of an arm; the difference is N packets'. valgrind hides
# AVX-512, so this is the AVX2 path.
packets=4096
count() { # ARM PACKETS: instructions
    valgrind --tool=callgrind --toggle-collect=step_timed --callgrind-out-file="$work/$1.$2" "$build/tools/bench/trunkline-bench" --no-huge --cores 0 \
        --instructions "$1" --packets "$2" --streams 1000 >"$work/$1.$2.log" 2>&1 && sed -n 's/^summary: //p' "$work/$1.$2"
}
per_packet() { # ARM
    local one two
    one=$(count "$1" $packets) && two=$(count "$1" $((2 * packets))) && [ -n "$one" ] && [ -n "$two" ] &&
        awk -v a="$one" -v b="$two" -v n=$packets 'BEGIN {printf "%.1f\n", (b - a) / n}' >"$work/$1.result"
}
if [ $instructions = 1 ]; then
    echo
    echo "instructions a packet by callgrind, 1,000 streams, AVX2 path"
    for arm in $("$build/tools/bench/trunkline-bench" --arms); do
        while [ "$(jobs -rp | wc -l)" -ge "$(nproc)" ]; do wait -n; done
        per_packet "$arm" &
    done
    wait
    for arm in $("$build/tools/bench/trunkline-bench" --arms); do
        value=$(cat "$work/$arm.result" 2>/dev/null) || { echo "bench: $arm did not run under callgrind: $(tail -n 1 "$work/$arm".*.log)" >&2; status=1; continue; }
        printf '%-17s %8s\n' "$arm" "$value"
        [ -z "$json" ] || jq --arg a "$arm" --argjson v "$value" 'if .arms[$a] then .arms[$a].instructions_per_packet = $v else . end' "$json" >"$work/json" && cp "$work/json" "$json"
    done
fi

if [ $peers = 1 ] && [ -s "$json" ]; then
    options=()
    [ $quick = 0 ] || options=(--quick)
    if TRUNKLINE_BUILD=$build tools/bench/peers.sh "${options[@]}" --bench "$json" --json "$work/peers.json"; then
        jq --slurpfile peers "$work/peers.json" '.peers = $peers[0]' "$json" >"$work/json" && cp "$work/json" "$json"
    else
        status=1
    fi
fi
if [ -s "$json" ] && [ "$json" != "$work/result.json" ]; then
    folder=${json%.json}
    [ "$folder" != "$json" ] || folder=$json-report
    python3 tools/bench/report/report.py "$json" "$folder" && echo "bench: report in $folder/report.md"
fi
exit $status
