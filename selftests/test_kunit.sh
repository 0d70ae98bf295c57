#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# The module's KUnit tests, kmod/tests/NAME_test.c, each of which is one suite,
# "smtpsplice-NAME". They are in a module of their own, which scripts/kernel
# builds where the kernel has KUnit, and they run when it is loaded. What they
# say is in debugfs as KTAP; here each case becomes one line of TAP.

set -uo pipefail
# shellcheck source=selftests/lib.sh
. "$(dirname "$0")/lib.sh"

KO=${SMTPSPLICE_KO%/*}/kunit/smtpsplice.ko
RESULTS=/sys/kernel/debug/kunit

# The debug kernel is there for such tests: without them it is broken.
if [[ ! -e $KO && $SMTPSPLICE_KERNEL != debug ]]; then
	echo "1..0 # SKIP no KUnit in this kernel"
	exit
fi

suites() {
	local file
	for file in "$SELFTESTS"/../kmod/tests/*_test.c; do
		file=${file##*/}
		echo "smtpsplice-${file%_test.c}"
	done
}

# planned SUITE: how many cases it has by its own plan; one, which will not be
# ok, where it has none.
planned() {
	local n
	n=$(sed -n 's/^    1\.\.\([1-9][0-9]*\)$/\1/p' "$RESULTS/$1/results" 2>/dev/null | head -n 1)
	echo "${n:-1}"
}

# pass_on SUITE: its cases. What a case has to say comes before its result, as do
# the results of its parameters.
pass_on() {
	local suite=$1 line said=() name
	if [[ ! -e $RESULTS/$suite/results ]]; then
		not_ok "$suite has run"
		return
	fi
	while IFS= read -r line; do
		if [[ $line =~ ^\ {4}(not\ )?ok\ [0-9]+\ ([^ ]+)(\ \#\ SKIP\ ?(.*))?$ ]]; then
			name="$suite: ${BASH_REMATCH[2]}"
			if [[ ${BASH_REMATCH[1]} ]]; then
				not_ok "$name"
				diag "$(printf '%s\n' "${said[@]}")"
			elif [[ ${BASH_REMATCH[3]} ]]; then
				skip "$name: ${BASH_REMATCH[4]}"
			else
				ok "$name"
			fi
			said=()
		else
			said+=("$line")
		fi
	done <"$RESULTS/$suite/results"
}

unload() {
	! grep -qs '^smtpsplice ' /proc/modules || rmmod smtpsplice
}
trap unload EXIT

mapfile -t names < <(suites)
loaded=$(insmod "$KO" 2>&1)
status=$?
total=2
for name in "${names[@]}"; do total=$((total + $(planned "$name"))); done
plan $total
result $status "the module with its tests is loaded"
((status == 0)) || diag "$loaded"
for name in "${names[@]}"; do pass_on "$name"; done
check "and unloaded" rmmod smtpsplice
finish
