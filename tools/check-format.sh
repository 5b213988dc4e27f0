#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# Checks that C is as .clang-format has it; with --fix, makes it so.
set -eu
cd "$(dirname "$0")/.."
mapfile -t files < <(git ls-files '*.c' '*.h')
[ ${#files[@]} -eq 0 ] && exit 0
if [ "${1:-}" = --fix ]; then
    exec clang-format -i "${files[@]}"
fi
exec clang-format --dry-run --Werror "${files[@]}"
