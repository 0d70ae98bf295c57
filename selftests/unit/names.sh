#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# names.sh: a mistyped name of a test is a failure wherever tests are run by name, and
# nothing is run then. Runs on the host.

set -uo pipefail
cd "$(dirname "$0")/../.." || exit 2
. selftests/lib.sh

# refused CMD...: it says that there is no such test, fails, and has no result.
refused() {
	local out
	! out=$("$@" 2>&1) && [[ $out == *"no such test"* ]] && ! grep -q '^ok ' <<<"$out"
}

export SMTPSPLICE_KO=none	# one wants to know at once
python=(selftests/test_*.py)
plan $((8 + ${#python[@]}))
check "run: one name" refused ./selftests/run nonsense
check "run: the last of several" refused ./selftests/run no_ipv6 nonsense
check "run: the first of several" refused ./selftests/run nonsense no_ipv6
check "run: a file that is no test" refused ./selftests/run smtplab.py
for dir in helper selftests/unit; do
	check "$dir: one name" refused make -s -C $dir known TESTS=nonsense
	check "$dir: no name" refused make -s -C $dir known TESTS=
done
for file in "${python[@]}"; do
	check "$file" refused python3 -B "$file" test_main_job test_nonsense
done
finish
