#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# Looks whether the programs that strangers reach are built hardened (meson.build): position independent, all symbols bound
# at the start and read-only after it, stack protector, glibc's checked functions, landing pads for indirect branches.
#   tools/check-hardening.sh BUILD      prints what is missing; exit status 1 if anything is
set -u
build=${1:?which build folder?}
bad=0
missing() { echo "hardening: $*"; bad=1; }
for program in control/trunkline-control dataplane/trunkline-dataplane tools/ctl/trunklinectl; do
    file=$build/$program
    [ -x "$file" ] || { missing "$program is not there"; continue; }
    dynamic=$(readelf -dW "$file") headers=$(readelf -lW "$file")
    [[ $(readelf -hW "$file") == *"DYN (Position-Independent"* ]] || missing "$program is not position independent"
    [[ $headers == *GNU_RELRO* ]] || missing "$program has no read-only relocations"
    [[ $dynamic == *BIND_NOW* ]] || missing "$program binds its symbols late"
    symbols=$(readelf --dyn-syms -W "$file")
    [[ $symbols == *__stack_chk_fail* ]] || missing "$program has no stack protector"
    [[ $symbols == *_chk@* ]] || missing "$program calls none of glibc's checked functions"
    # nearly every function that can be called through a pointer begins so; crt's few do in any build
    [ "$(objdump -d --no-show-raw-insn "$file" | grep -c endbr64)" -gt 20 ] || missing "$program has no landing pads"
done
exit $bad
