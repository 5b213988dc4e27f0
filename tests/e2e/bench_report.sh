#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# The benchmark's report: of a small result, whose every figure is known, and of the sample that is in the tree.
. "$(dirname "$0")/lib/e2e.sh"
cd "$E2E_ROOT" || exit 1
e2e_count "report" tests/unit/tools/test_report.py
check "the sample gives a report" tools/bench/report/report.py tools/bench/sample.json "$E2E_WORK/report"
for arm in $(jq -r '.arms | keys[]' tools/bench/sample.json); do
    check "it has $arm" grep -q "^| \`$arm\` " "$E2E_WORK/report/report.md"
done
e2e_end
