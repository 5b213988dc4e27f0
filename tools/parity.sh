#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# Holds docs/mediation-parity.md to the tree: every row is there once and says what it has to, every setting and every test
# that it names exists. Prints each fault and a summary; exit status 1 if there is a fault.
#   tools/parity.sh [--json]    --json: the last line is {"rows": n, "built": n, "part": n, "not_yet": n, "never": n}
set -u
cd "$(dirname "$0")/.."
json=0
case ${1:-} in
"") ;;
--json) json=1 ;;
-h | --help) sed -n '3,5s/^# \{0,1\}//p' "$0"; exit 0 ;;
*) echo "parity: unknown option $1 (see --help)" >&2; exit 2 ;;
esac
page=docs/mediation-parity.md
bad=0
fault() { echo "parity: $*"; bad=1; }

# What must be there: the inventory's rows and those of Teams and others.
expected=$(seq 1 19; echo 19b; seq 20 143; seq -f 'T%g' 1 22)
# number, what, state, setting, default, shown by: tab-separated, an empty cell is "-"
rows=$(awk -F '|' '/^\| (T?[0-9]+|19b) \|/ {
    for (i = 2; i <= 7; i++) { gsub(/^ +| +$/, "", $i); printf "%s%s", $i == "" ? "-" : $i, i < 7 ? "\t" : "\n" }
}' "$page")
numbers=$(cut -f 1 <<<"$rows")
while read -r line; do
    fault "$page: row ${line#[<>] } is $([ "${line%% *}" = '<' ] && echo missing || echo 'there once too often, or is none')"
done < <(diff <(sort <<<"$expected") <(sort <<<"$numbers") | grep '^[<>]')
# where the inventory itself is at hand, its rows are the ones
inventory=../shared/reference/mediation.md
if [ -f "$inventory" ]; then
    while read -r n; do
        fault "$page: row ${n#< } of the inventory is missing"
    done < <(diff <(grep -oE '^\| [0-9]+b? \|' "$inventory" | tr -d '| ' | sort) <(grep -v T <<<"$numbers" | sort) | grep '^<')
fi

# Options, as docs/config.md has them: name and section.name ("realms.rtp_ports").
options=$(awk '/^### /{ section = $2; sub(/\[\].*/, "", section); sub(/.*\./, "", section) }
    match($0, /^\| `[a-z_0-9]+` \|/) { name = substr($0, 4, RLENGTH - 6); print name; print section "." name }' docs/config.md)
is_option() { grep -qxF -- "$1" <<<"$options"; }
commands=$(sed -nE 's/^    \{"([a-z]+)( [a-z]+)?", .*/\1/p' tools/ctl/main.c)

# quoted CELL: what stands in backticks, one a line
quoted() { grep -oE '`[^`]+`' <<<"$1" | tr -d '`'; }

declare -A count=([built]=0 [part]=0 [not yet]=0 [never]=0)
total=0
while IFS=$'\t' read -r number what state setting default shown; do
    total=$((total + 1))
    at="$page: row $number"
    [ "$what" != - ] || fault "$at has no title"
    case $state in
    built | part | "not yet" | never) count[$state]=$((${count[$state]} + 1)) ;;
    *) fault "$at: '$state' is no state; expected built, part, not yet or never"; continue ;;
    esac
    while read -r name; do
        [ -n "$name" ] || continue
        if [[ $name == trunklinectl\ * ]]; then
            grep -qxF -- "${name#* }" <<<"$commands" || fault "$at: there is no command $name"
        else
            is_option "$name" || fault "$at: there is no option $name"
        fi
    done < <(quoted "$setting")
    tests=0
    while read -r name; do
        [[ $name == tests/* ]] || continue
        file=${name%%:*} case=${name#*:}
        if [ ! -f "$file" ]; then
            fault "$at: there is no $file"
        elif [ "$file" != "$name" ] && ! grep -qF -- "\"$case\"" "$file"; then
            fault "$at: $file has no case \"$case\""
        else
            tests=$((tests + 1))
        fi
    done < <(quoted "$shown")
    case $state in
    built | part)
        [ $tests -gt 0 ] || fault "$at is $state and names no test"
        [ -n "$(quoted "$setting")" ] || [ "$setting" = always ] || fault "$at is $state and names no setting; 'always' where there is none"
        ;;
    never) [ "$shown" != - ] || fault "$at does not say why never" ;;
    esac
    # what is built in part says what is missing
    words=$(sed 's/`[^`]*`//g' <<<"$shown" | tr -cd '[:alpha:]')
    [ "$state" != part ] || [ ${#words} -ge 8 ] || fault "$at does not say what is missing"
done <<<"$rows"

echo "$total rows: ${count[built]} built, ${count[part]} in part, ${count[not yet]} not yet, ${count[never]} never"
[ $json = 0 ] || printf '{"rows": %d, "built": %d, "part": %d, "not_yet": %d, "never": %d}\n' \
    "$total" "${count[built]}" "${count[part]}" "${count[not yet]}" "${count[never]}"
exit $bad
