#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# Holds every file to its layer (docs/architecture.md): who may include whom, what a packet-path file may name,
# SPDX line per file, sizes. Prints each breach; exit status 1 if there is one.
set -u
cd "$(dirname "$0")/.."
bad=0
breach() { echo "layers: $*"; bad=1; }

# forbid FOLDER REGEX WHY: no #include in FOLDER may match REGEX
forbid() {
    local hit
    while IFS= read -r hit; do
        [ -n "$hit" ] && breach "$hit: $3"
    done < <(git ls-files "$1/*.c" "$1/*.h" | xargs -r grep -nE "^[[:space:]]*#[[:space:]]*include[[:space:]]*[<\"]($2)" /dev/null)
}

forbid common 'dataplane/|control/|tools/|tests/' "common/ includes nothing of ours outside itself"
forbid common 'rte_|osip|event2?/|intel-ipsec' "common/ knows neither DPDK nor osip nor an event loop"
forbid dataplane 'osip|jansson|control/|event2?/|tools/|tests/|re/' "dataplane/ knows no SIP, JSON or control"
forbid control 'rte_|dataplane/|intel-ipsec|tools/|tests/|re/' "control/ knows no DPDK and nothing of the dataplane"
forbid tools/loadgen 'dataplane/|control/|common/' "the load generator shares no code with the daemons"
forbid tools/bench 'control/|osip|event2?/|tests/' "the benchmark drives the dataplane through the contract"
forbid tools/ctl 'dataplane/|control/|rte_|osip' "trunklinectl talks to control over its socket only"

# jansson stays in the configuration module and the control socket
while IFS= read -r f; do
    case $f in common/config*) ;; *) breach "$f: jansson in common/ belongs to the configuration module" ;; esac
done < <(git ls-files 'common/*.[ch]' | xargs -r grep -lE '#[[:space:]]*include[[:space:]]*<jansson' /dev/null)

# Files on the packet path say so in a line of their own and then name no allocator, stdio, lock or clock syscall.
path_words='\b(malloc|calloc|realloc|free|rte_malloc|rte_zmalloc|rte_free|printf|fprintf|snprintf|puts|RTE_LOG|rte_log|pthread_[a-z_]+|rte_spinlock_[a-z_]+|rte_rwlock_[a-z_]+|clock_gettime|gettimeofday|usleep|nanosleep)[[:space:]]*\('
while IFS= read -r f; do
    while IFS= read -r hit; do
        [ -n "$hit" ] && breach "$f:$hit: not on the packet path"
    done < <(grep -nE "$path_words" "$f")
done < <(git ls-files '*.c' '*.h' | xargs -r grep -lE '^// packet path:' /dev/null)

while IFS= read -r f; do
    [ -f "$f" ] || continue
    head -n 3 "$f" | grep -q 'SPDX-License-Identifier: BSD-3-Clause' || breach "$f: no SPDX line"
done < <(git ls-files '*.c' '*.h' '*.sh' '*meson.build' .ci/run)

while read -r lines f; do
    [ "$f" != total ] && [ "$lines" -gt 800 ] && breach "$f: $lines lines; split it (800 at most, most under 300)"
done < <(git ls-files '*.c' '*.h' | xargs -r wc -l)
exit $bad
