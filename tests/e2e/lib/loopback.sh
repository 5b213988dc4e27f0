# SPDX-License-Identifier: BSD-3-Clause
# For tests that need no more than loopback addresses in a namespace of their own. Sourced first; goes to the checkout's root.
# Sets build, ns, dir (a folder that goes with the test), ctl_socket, passed, failed, skipped. pids[] are ended at the end, and
# descriptor 7, which holds the fake dataplane's input open, is closed.
# shellcheck shell=bash disable=SC2034
set -u
cd "$(dirname "$0")/../.." || exit 1
build=${TRUNKLINE_BUILD:-build}
ns=$(basename "$0" .sh | tr -d _-)$$
dir=$(mktemp -d)
ctl_socket=$dir/control.sock
passed=0 failed=0 skipped=0
declare -A pids=()

cleanup() {
    exec 7>&- 2>/dev/null
    [ ${#pids[@]} -gt 0 ] && kill "${pids[@]}" 2>/dev/null
    wait
    ip netns del "$ns" 2>/dev/null
    rm -rf "$dir"
}
trap cleanup EXIT
trap 'exit 130' INT TERM

finish() {
    echo "$passed passed, $failed failed, $skipped skipped"
    [ $failed -eq 0 ]
    exit
}
ok() { passed=$((passed + 1)); echo "ok   $*"; }
bad() {
    failed=$((failed + 1))
    echo "FAIL $*"
    tail -n 12 "$dir"/control.log 2>/dev/null | sed 's/^/     | /'
}

# For what is waited for. In the background a function has a shell of its own, whose end would leave the program running: there
# stands `ip netns exec $ns`.
inside() { ip netns exec "$ns" "$@"; }

# Makes the namespace. Ends the test with a skip where it cannot be made or one of the programs is not here.
loopback_begin() { # PROGRAM...
    local program
    for program in "$@"; do
        command -v "$program" >/dev/null || { echo "SKIP needs $program"; skipped=1; finish; }
    done
    ip netns add "$ns" 2>/dev/null || { echo "SKIP needs the right to make network namespaces"; skipped=1; finish; }
    ip -n "$ns" link set lo up
}
