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
forbid common 'rte_|event2?/|intel-ipsec' "common/ knows neither DPDK nor an event loop"
forbid dataplane 'jansson|control/|event2?/|tools/|tests/|re/' "dataplane/ knows no SIP, JSON or control"
forbid control 'rte_|dataplane/|intel-ipsec|tools/|tests/|re/' "control/ knows no DPDK and nothing of the dataplane"
forbid tools/loadgen 'dataplane/|control/|common/' "the load generator shares no code with the daemons"
forbid tools/bench 'control/|event2?/|tests/' "the benchmark drives the dataplane through the contract"
forbid tools/ctl 'dataplane/|control/([^a]|a[^d]|admin/(reload|registrations|calls|ctl))|rte_|event2?/' "trunklinectl talks to control over its socket, and shares what answers route test"

# rooms FOLDER ROOM:MAY,MAY ...: a file in FOLDER/ROOM includes files of its own room, of the rooms named behind the colon and
# of those that these may include, and no others of FOLDER. A room that is not listed is a breach, so is a loose file but main.c.
rooms() {
    local folder=$1 entry room other allowed
    shift
    local -A may=()
    for entry in "$@"; do
        room=${entry%%:*} allowed=" $room "
        for other in $(tr ',' ' ' <<<"${entry#*:}"); do # listed bottom up: what they may include is known
            allowed+="$other ${may[$other]} "
        done
        may[$room]=$allowed
    done
    local f line target
    while IFS=: read -r f line target; do
        room=$(cut -d/ -f2 <<<"$f")
        [ "$f" = "$folder/main.c" ] && continue
        other=$(sed -E "s|.*\"$folder/([a-z0-9_]+)/.*|\1|" <<<"$target")
        if [ -z "${may[$room]:-}" ]; then
            breach "$f: $folder/$room is no room that tools/check-layers.sh knows"
        elif [[ ${may[$room]} != *" $other "* ]]; then
            breach "$f:$line: $folder/$room may not include $folder/$other"
        fi
    done < <(git ls-files "$folder/*.c" "$folder/*.h" | xargs -r grep -nE "^[[:space:]]*#[[:space:]]*include[[:space:]]*\"$folder/" /dev/null)
    while IFS= read -r f; do
        [ "$f" = "$folder/main.c" ] || breach "$f: belongs in a room of $folder/"
    done < <(git ls-files "$folder/*.c" "$folder/*.h" | grep -v "^$folder/[^/]*/")
}

rooms control base: sip:base sdp:base call:sdp trunk:sdp media:base,sdp record:call,trunk,media agent:sip,record admin:agent
rooms dataplane srtp: net: session:srtp,net path:session manager:path

# What is pure names no library, no loop and no socket.
for room in control/call control/trunk control/sdp; do
    forbid "$room" 'event2?/|jansson|sys/socket|control/base/loop|control/sip/' "$room/ is pure"
done
forbid control/base 'control/(sip|sdp|call|trunk|media|agent|admin)/' "control/base/ knows nothing of SIP"
forbid control 'osip' "libosip2 is the oracle of a test, and in no daemon"

# Addresses have one module: nobody else reads or prints one in common/ or control/.
address_words='\b(inet_ntop|inet_pton|inet_aton|inet_ntoa|inet_addr)[[:space:]]*\(|%u\.%u\.%u\.%u'
while IFS= read -r hit; do
    [ -n "$hit" ] && breach "$hit: addresses are common/addr.h's"
done < <(git ls-files 'common/*.[ch]' 'control/*.[ch]' | grep -v '^common/addr\.c$' | xargs -r grep -nE "$address_words" /dev/null)

# OpenSSL stays in the files of TLS, of digests and of SRTP
while IFS= read -r f; do
    case $f in control/sip/tls*.[ch] | control/sip/digest.c | dataplane/srtp/*.c) ;; *) breach "$f: OpenSSL belongs to control/sip/tls*, control/sip/digest.c and dataplane/srtp/" ;; esac
done < <(git ls-files 'common/*.[ch]' 'control/*.[ch]' 'dataplane/*.[ch]' | xargs -r grep -lE '#[[:space:]]*include[[:space:]]*<openssl/' /dev/null)

# jansson stays in the configuration module and the control socket
while IFS= read -r f; do
    case $f in common/config/* | control/admin/*) ;; *) breach "$f: jansson belongs to the configuration module and the operator's socket" ;; esac
done < <(git ls-files 'common/*.[ch]' 'control/*.[ch]' | xargs -r grep -lE '#[[:space:]]*include[[:space:]]*<jansson' /dev/null)

# PCRE2 ends in one file
while IFS= read -r f; do
    [ "$f" = common/pattern.c ] || breach "$f: PCRE2 belongs to common/pattern.c"
done < <(git ls-files '*.c' '*.h' | xargs -r grep -lE '#[[:space:]]*include[[:space:]]*<pcre2' /dev/null)

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
