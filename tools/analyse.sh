#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# Static analysis: cppcheck over the whole tree, clang-tidy (bugprone, clang-analyzer) and gcc's -fanalyzer over the daemons,
# common/ and tools/. The two read a test's assertions as places where nothing ends, so tests/ is cppcheck's alone.
#   tools/analyse.sh BUILD [FILE...]    BUILD is a build folder that is up to date; only those files
# Prints each message that tools/analyse.exceptions does not name; exit status 1 if there is one. About six minutes on two cores.
set -u
cd "$(dirname "$0")/.."
case ${1:-} in
-h | --help) sed -n '3,6s/^# \{0,1\}//p' "$0"; exit 0 ;;
"") echo "analyse: which build folder? (see --help)" >&2; exit 2 ;;
esac
build=${1%/}
shift
[ -f "$build/compile_commands.json" ] || { echo "analyse: no compile_commands.json in $build" >&2; exit 2; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
exceptions=tools/analyse.exceptions
jobs=$(nproc)
# a count becomes a double where it is shown: no loss that matters
tidy_checks="-*,bugprone-*,clang-analyzer-*$(awk '$1 == "clang-tidy" && $3 == "*" { printf ",-%s", $2 }' $exceptions)"
tidy_config='{CheckOptions: [{key: bugprone-narrowing-conversions.WarnOnIntegerToFloatingPointNarrowingConversion, value: false}]}'

# units: a line for each source that is compiled for a program of ours: its path, a tab, the compiler's command
units() {
    jq -r '.[] | [.directory, .file, .command] | @tsv' "$build/compile_commands.json" |
        while IFS=$'\t' read -r folder file command; do
            printf '%s\t%s\n' "$(realpath -m --relative-to=. "$folder/$file")" "$command"
        done | awk -F '\t' '!/^(tests|\.\.)\// && !seen[$1]++'
}
units >"$work/units"
if [ $# -gt 0 ]; then
    printf '%s\n' "$@" >"$work/wanted"
    awk -F '\t' 'NR == FNR { wanted[$1]; next } $1 in wanted' "$work/wanted" "$work/units" >"$work/some"
    mv "$work/some" "$work/units"
    sources=("$@")
else
    mapfile -t sources < <(git ls-files 'common/*.c' 'control/*.c' 'dataplane/*.c' 'tools/*.c' 'tests/*.c')
fi

# Every analyser's messages, one a line: analyser, file, line, check, text.
cppcheck_all() {
    cppcheck -j "$jobs" --quiet --enable=warning,performance,portability --std=c11 --library=posix -I. -DCU_TEST_SUITES=1 \
        --template='cppcheck\t{file}\t{line}\t{id}\t{message}' "${sources[@]}" 2>&1 | grep -P '^cppcheck\t'
}

# A file a process: release 14 carries what it knows of a va_list from one file to the next.
clang_tidy_all() {
    cut -f 1 "$work/units" | xargs -r -P "$jobs" -n 1 clang-tidy -p "$build" --quiet --checks="$tidy_checks" \
        --config="$tidy_config" 2>/dev/null
}

gcc_all() {
    # nothing is written but messages
    sed -E 's/^[^\t]*\t(ccache )?//; s/ -M(D|[QF] [^ ]+)//g; s/ -Werror| -fdiagnostics-color=[a-z]+//g
            s| -o [^ ]+ -c | -fanalyzer -fdiagnostics-plain-output -S -o /dev/null |' "$work/units" |
        (cd "$build" && xargs -r -P "$jobs" -d '\n' -n 1 bash -c) 2>&1
}

# file:line:column: warning: text [check] -> the same five columns, paths from the top folder
plain() { # ANALYSER
    grep -E ': (warning|error): ' | sed -E "s/^([^:]+):([0-9]+):[0-9]+: [a-z]+: (.*) \[-?([^]]+)\]\$/$1\t\1\t\2\t\4\t\3/" |
        while IFS=$'\t' read -r analyser file rest; do
            case $file in
            /*) ;;
            ../*) file=$build/$file ;;
            *) [ -e "$file" ] || file=$build/$file ;;
            esac
            printf '%s\t%s\t%s\n' "$analyser" "$(realpath -m --relative-to=. "$file")" "$rest"
        done
}

# An analyser that does not run says nothing, so each must first see what is wrong here.
canary=$work/canary.c
printf '#include <stdlib.h>\nint f(void);\nint f(void)\n{\n    char *p = malloc(8), two[2] = {0};\n    free(p);\n    return p[0] + two[2];\n}\n' >"$canary"
silent() { echo "analyse: $1 does not see what is wrong in a sample: is it there, are its options right?" >&2; exit 1; }
cppcheck --quiet --template={id} "$canary" 2>&1 | grep -q arrayIndexOutOfBounds || silent cppcheck
clang-tidy --quiet --checks="$tidy_checks" --config="$tidy_config" "$canary" -- 2>&1 | grep -q 'after it is freed' || silent clang-tidy
gcc -fanalyzer -S -o /dev/null "$canary" 2>&1 | grep -q Wanalyzer-use-after-free || silent gcc

cppcheck_all >"$work/messages"
clang_tidy_all | plain clang-tidy >>"$work/messages"
gcc_all | plain gcc >>"$work/messages"

# What is left; a system header's messages are not ours. All files were read: an exception must have hidden something.
sort -u "$work/messages" | awk -F '\t' -v whole="$([ $# -eq 0 ] && echo 1)" '
    NR == FNR {
        if ($0 !~ /^#/ && split($0, word, " ") >= 4) {
            tool[++n] = word[1]; check[n] = word[2]; file[n] = word[3]; used[n] = word[1] == "clang-tidy" && word[3] == "*"
        } else if ($0 !~ /^(#|$)/) {
            print FILENAME ":" FNR ": expected analyser, check, files and a reason"; bad = 1
        }
        next
    }
    $2 ~ /^(\.\.|\/)/ { next }
    {
        hidden = 0
        for (i = 1; i <= n; i++)
            if (tool[i] == $1 && check[i] == $4 && (file[i] == "*" || index($2, file[i]) == 1))
                hidden = used[i] = 1
        if (!hidden) { print $2 ":" $3 ": " $5 " [" $1 " " $4 "]"; bad = 1 }
    }
    END {
        for (i = 1; whole && i <= n; i++)
            if (!used[i]) { print FILENAME ": " tool[i] " says nothing of " check[i] " in " file[i] ": take the exception out"; bad = 1 }
        exit bad
    }' $exceptions -
