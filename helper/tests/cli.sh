#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# cli.sh DIR: what smtpsplice and smtpspliced in DIR say to their arguments, with
# the module loaded or not. Prints TAP.

set -u
cd "$1" || exit 2

count=0 failed=0
module_loaded=no
./smtpsplice show stats >/dev/null 2>&1
(($? == 2)) || module_loaded=yes

result() { # OK NAME
	((count++))
	if (($1)); then
		echo "ok $count - $2"
	else
		echo "not ok $count - $2"
		((failed++))
	fi
}

# Exit status 2, one line on stderr that has TEXT, nothing on stdout
refuses() { # TEXT COMMAND...
	local text=$1 out err status ok=0
	shift
	out=$(mktemp) err=$(mktemp)
	"$@" >"$out" 2>"$err" </dev/null
	status=$?
	if ((status == 2)) && [[ ! -s $out ]] && (($(wc -l <"$err") == 1)) &&
		grep -qF -- "$text" "$err" && ! LC_ALL=C grep -q '[[:cntrl:]]' "$err"; then
		ok=1
	else
		echo "# status $status: $(cat -v "$err" "$out" | head -n 3)"
	fi
	rm -f "$out" "$err"
	result $ok "$(printf '%.100q ' "$@")"
}

# Exit status 0, TEXT on stdout, nothing on stderr
prints() { # TEXT COMMAND...
	local text=$1 out err ok=0
	shift
	err=$(mktemp)
	if out=$("$@" 2>"$err" </dev/null) && [[ $out == *"$text"* && ! -s $err ]]; then
		ok=1
	else
		echo "# $(head -n 3 "$err") $(head -n 3 <<<"$out")"
	fi
	rm -f "$err"
	result $ok "$(printf '%q ' "$@")"
}

s=./smtpsplice d=./smtpspliced
long=$(printf 'x%.0s' {1..5000})

for words in help --help "policy help" "policy add help" "policy del help" "show help" \
	"show policies help" "set help" "monitor help" "help -j" "policy --help"; do
	# shellcheck disable=SC2086 # several words
	prints Usage $s $words
done
prints "smtpsplice " $s --version
prints "smtpspliced " $d --version
prints Usage $d --help

refuses "command missing" $s
refuses 'unknown command "x"' $s x
refuses 'unknown command' $s "$long"
refuses 'unknown option "-x"' $s -x
refuses 'unknown option' $s $'--\e[31m\n'
refuses "command missing" $s policy
refuses 'unknown command "x"' $s policy x
refuses "name missing" $s policy add
refuses "name missing" $s policy del
refuses "not a policy name" $s policy add ""
refuses "not a policy name" $s policy add 12345678901234567890123456789012
refuses "not a policy name" $s policy add $'a\nb'
refuses "not a policy name" $s policy del "a b"
refuses 'unexpected word "b"' $s policy del a b
refuses 'unknown word "x"' $s policy add p x y
refuses '"iif" needs a value' $s policy add p iif
refuses 'not an interface name' $s policy add p iif 1234567890123456
refuses 'not an interface name' $s policy add p iif a/b
refuses 'did you mean 10.0.2.0/24?' $s policy add p dst 10.0.2.1/24
refuses 'did you mean fd00::/64?' $s policy add p src fd00::1/64
refuses '"10.0.2.0/33" has a wrong prefix length' $s policy add p src 10.0.2.0/33
refuses '"mail" is not an address' $s policy add p src mail
refuses 'empty part' $s policy add p src 10.0.0.1,,10.0.0.2
refuses 'empty part' $s policy add p dst ,
refuses 'empty part' $s policy add p service ""
refuses '"0" is not a service' $s policy add p service 0
refuses '"65536" is not a service' $s policy add p port 65536
refuses '"-1" is not a service' $s policy add p port smtp,-1
refuses '"http" is not a service' $s policy add p service smtp,http
refuses '"src" given twice' $s policy add p src 10.0.0.1 src 10.0.0.2
refuses 'too many prefixes' $s policy add p src "$(printf '10.0.0.%s,' {1..64})10.0.1.1"
refuses 'too many ports' $s policy add p port "$(printf '%s,' {1..64})65"
refuses 'mode "splice" is not supported' $s policy add p mode splice
refuses 'av "off" is not supported' $s policy add p av off
refuses 'tls "default" is not supported' $s policy add p tls default
refuses '"0" is not a position' $s policy add p position 0
refuses 'not a position' $s policy add p position 4294967296
refuses 'is not an address' $s policy add p src "$long"
refuses 'cannot show "x"' $s show x
refuses 'unexpected word "x"' $s show stats x
refuses 'unexpected word "x"' $s monitor x
refuses 'setting missing' $s set
refuses 'unknown setting "x"' $s set x 1
refuses 'value missing' $s set max-sessions
refuses 'given twice' $s set max-sessions 1 max-sessions 2
refuses 'not a number from 1' $s set max-sessions 0
refuses 'not a number from 1' $s set max-sessions 1000001
refuses 'not a number from 1' $s set max-sessions 1k
refuses 'not a size' $s set max-message 0
refuses 'not a size' $s set max-message 1T
refuses 'not a size' $s set max-message 99999999999999999999
refuses 'not a size' $s set max-message 9999999999G
refuses 'not a size' $s set max-held K
refuses 'not a time' $s set scan-timeout 0
refuses 'not a time' $s set scan-timeout 1h
refuses 'not a time' $s set scan-timeout 4294968
refuses 'not a time' $s set scan-timeout ""
refuses 'not reject or allow' $s set bare-newline maybe

refuses 'bad option "x"' $d x
refuses 'bad option "--x"' $d --x
refuses 'bad option' $d $'--\e[31m\n'
refuses 'bad option "--log"' $d --log
refuses 'not a number from 1' $d --workers 0
refuses 'not a number from 1' $d --workers 1x
refuses 'not a number from 1' $d --workers 1000000
refuses 'must be one line' $d --reply "250 ok"
refuses 'must be one line' $d --reply $'554 a\r\n250 b'

if [[ $module_loaded == no ]]; then
	gone='kernel module smtpsplice is not loaded (family "smtpsplice" not found)'
	refuses "smtpspliced: $gone" $d
	refuses "smtpsplice: $gone" $s show
	refuses "smtpsplice: $gone" $s -j show stats
	refuses "smtpsplice: $gone" $s show stats -j
	refuses "smtpsplice: $gone" $s monitor
	refuses "smtpsplice: $gone" $s policy del a
	refuses "smtpsplice: $gone" $s policy add mail-in iif wan src 10.0.0.0/8,::/0 \
		dst 10.0.2.0/24,fd00:2::1 service smtp,smtps,submission,2525 \
		av default tls off mode hold position 1
	refuses "smtpsplice: $gone" $s set max-sessions 10 max-message 50M max-held 2G \
		dial-timeout 30 scan-timeout 1500ms reply-timeout 5m bare-newline allow
fi

echo "1..$count"
((failed == 0))
