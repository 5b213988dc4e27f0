#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# Proves README's two commands on a fresh Debian 12: makes a minimal system with debootstrap, clones this checkout's
# committed tree into it and runs `tools/demo.sh` and `tools/test.sh` there, in mount, pid and network namespaces of their own.
#   tools/fresh-check.sh [--dir DIR] [--keep] [COMMAND...]     needs root, about 3 GB in DIR and some twenty minutes
# --dir DIR reuses a base system made there before (DIR/base.tar); COMMAND replaces README's two.
set -eu
cd "$(dirname "$0")/.."
dir=/var/tmp/trunkline-fresh keep=0
while [ $# -gt 0 ]; do
    case $1 in
    --dir) [ $# -gt 1 ] || { echo "fresh-check: --dir takes a folder (see --help)" >&2; exit 2; }; dir=$2; shift 2 ;;
    --keep) keep=1; shift ;;
    -h | --help) sed -n '3,7s/^# \{0,1\}//p' "$0"; exit 0 ;;
    -*) echo "fresh-check: unknown option $1 (see --help)" >&2; exit 2 ;;
    *) break ;;
    esac
done
[ "$(id -u)" = 0 ] || { echo "fresh-check: debootstrap needs root" >&2; exit 1; }
command -v debootstrap >/dev/null || DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends debootstrap >/dev/null

root=$dir/root
mkdir -p "$dir"
cleanup() { [ $keep = 1 ] || rm -rf --one-file-system "$root"; }
trap cleanup EXIT
rm -rf --one-file-system "$root"
if [ ! -f "$dir/base.tar" ]; then
    echo "fresh-check: making a minimal Debian 12 in $dir"
    debootstrap --variant=minbase bookworm "$root" >"$dir/debootstrap.log" 2>&1 ||
        { tail -n 5 "$dir/debootstrap.log" >&2; echo "fresh-check: debootstrap failed, see $dir/debootstrap.log" >&2; exit 1; }
    tar -C "$root" -cf "$dir/base.tar.part" . && mv "$dir/base.tar.part" "$dir/base.tar"
else
    mkdir -p "$root" && tar -C "$root" -xf "$dir/base.tar"
fi
# The same package sources as this machine, whatever they are, and the committed tree without its history's leftovers.
cp -r /etc/apt/sources.list* "$root/etc/apt/" 2>/dev/null || true
cp -r /etc/apt/apt.conf.d "$root/etc/apt/" 2>/dev/null || true
cp -L /etc/resolv.conf "$root/etc/resolv.conf"
mkdir -p "$root/work"
git clone -q --no-hardlinks . "$root/work/trunkline"
[ ! -d ../shared/data ] || { mkdir -p "$root/work/shared" && cp -r ../shared/data "$root/work/shared/data"; }

# Packages come over the network, so the set-up runs in the machine's own network namespace; everything else does not need it.
inside() { # FLAGS COMMAND...
    local flags=$1
    shift
    # shellcheck disable=SC2086
    unshare -m -p $flags -f --kill-child bash -c 'set -e
        mount --make-rprivate /
        mount --bind "$0" "$0"
        mount -t proc proc "$0/proc"
        mount -t sysfs sys "$0/sys"
        mount --rbind /dev "$0/dev"
        mount -t tmpfs tmpfs "$0/run"
        exec chroot "$0" env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C.UTF-8 bash -c "cd /work/trunkline && $1"' "$root" "$*"
}
if [ $# -gt 0 ]; then
    inside "" "$*"
    exit
fi
status=0
for c in tools/demo.sh tools/test.sh; do
    echo "fresh-check: $c"
    inside "" "$c" || { status=1; echo "fresh-check: $c FAILED"; }
done
[ $status = 0 ] && echo "fresh-check: README's two commands work on a fresh Debian 12"
exit $status
