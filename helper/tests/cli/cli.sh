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
	if ((status == ${want:-2})) && [[ ! -s $out ]] && (($(wc -l <"$err") == 1)) &&
		grep -qF -- "$text" "$err" && ! LC_ALL=C grep -q '[[:cntrl:]]' "$err"; then
		ok=1
	else
		echo "# status $status: $(cat -v "$err" "$out" | head -n 3)"
	fi
	rm -f "$out" "$err"
	result $ok "$(printf '%.100q ' "$@")"
}

# As refuses, but it is not the input that is bad: exit status 1
fails() { # TEXT COMMAND...
	want=1 refuses "$@"
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
	"show policies help" "set help" "monitor help" "help -j" "policy --help" "tls help" \
	"tls add help" "tls set help" "tls del help" "ca help" "ca init help" "ca show help" \
	"ca export help" "show tls help" "show engine help" "quarantine help" \
	"quarantine list help" "quarantine show help" "quarantine release help" \
	"quarantine delete help" "av help" "av add help" "av set help" "av del help" \
	"show av help"; do
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
refuses 'mode "both" is not one of hold and splice' $s policy add p mode both
refuses 'policy "p": av "off" is not possible, name an av profile with "av-scan disable"' \
	$s policy add p av off
refuses 'not an av profile name' $s policy add p av ""
refuses 'not an av profile name' $s policy add p av 12345678901234567890123456789012
refuses '"av" given twice' $s policy add p av a av b
refuses '"av" needs a value' $s policy add p av
refuses 'not a tls profile name' $s policy add p tls ""
refuses 'not a tls profile name' $s policy add p tls 12345678901234567890123456789012
refuses '"tls" given twice' $s policy add p tls off tls default
refuses '"0" is not a position' $s policy add p position 0
refuses 'not a position' $s policy add p position 4294967296
refuses 'is not an address' $s policy add p src "$long"
refuses 'cannot show "x"' $s show x
refuses 'unexpected word "x"' $s show stats x
refuses 'unexpected word "x"' $s show engine x
refuses 'unexpected word "x"' $s show engine state /x x
refuses 'engine: "state" needs a value' $s show engine state
refuses 'engine: "state" needs a value' $s show engine state ""
fails "engine: no helper has said anything in /nonexistent (see smtpspliced --state)" \
	$s show engine state /nonexistent
fails "engine: /: " $s -j show engine state /
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
refuses 'not a time' $s set handshake-timeout 0
refuses 'message-timeout: "0" is not a time' $s set message-timeout 0
for word in conserve-green conserve-red conserve-extreme max-client-held; do
	for value in 0 101 82% x ""; do
		refuses "$word: \"$value\" is not a number from 1 to 100 (per cent of max-held)" \
			$s set $word "$value"
	done
done
refuses 'max-client-sessions: "1000001" is not a number from 1 to 1000000' \
	$s set conserve-red 90 max-client-sessions 1000001

t='tls profile "p": '
refuses "command missing" $s tls
refuses 'unknown command "x"' $s tls x
refuses "tls profile name missing" $s tls add
refuses "tls profile name missing" $s tls set
refuses "tls profile name missing" $s tls del
refuses "not a tls profile name" $s tls add "a b"
refuses "not a tls profile name" $s tls add ""
refuses "not a tls profile name" $s tls set "$long"
refuses "not a tls profile name" $s tls del a/b
refuses '"off" is not a tls profile name' $s tls add off
refuses 'unexpected word "q"' $s tls del p q
refuses "${t}nothing to change" $s tls set p
refuses "${t}unknown option \"x\"" $s tls add p x y
refuses "${t}unknown option \"name\"" $s tls set p name y
refuses "${t}\"smtps\" needs a value" $s tls add p smtps
refuses "${t}\"smtps\" given twice" $s tls add p smtps off smtps off
refuses "${t}smtps: \"on\" is not inspect, bypass or off" $s tls add p smtps on
refuses "${t}smtps: \"\" is not" $s tls add p smtps ""
refuses "${t}smtps: " $s tls add p smtps "$long"
refuses "${t}starttls: \"off\" is not inspect, require, strip or bypass" $s tls set p starttls off
for word in expired-server-cert revoked-server-cert untrusted-server-cert \
	cert-validation-timeout cert-validation-failure; do
	refuses "${t}$word: \"x\" is not allow, block or ignore" $s tls add p $word x
done
for word in unsupported-ssl-version unsupported-ssl-cipher unsupported-ssl-negotiation; do
	refuses "${t}$word: \"ignore\" is not allow or block" $s tls add p $word ignore
done
refuses "is not enable, strict or disable" $s tls add p sni-server-cert-check yes
refuses "is not bypass, inspect or block" $s tls add p client-certificate no
refuses "is not re-sign or replace" $s tls add p server-cert-mode resign
refuses "server-cert-mode replace needs a server-cert" $s tls add p server-cert-mode replace
refuses "server-cert-mode replace needs a server-cert" $s tls add p server-cert-mode replace server-cert none
refuses "server-cert-mode replace needs a server-cert" $s tls set p server-cert-mode replace server-cert none
refuses "${t}server-cert: \"../key\" is not a certificate name" $s tls add p server-cert ../key
refuses "${t}server-cert: \"..\" is not a certificate name" $s tls add p server-cert ..
refuses "is not a certificate name" $s tls add p server-cert ""
refuses "${t}smtps-port: \"0\" is not a service" $s tls add p smtps-port 0
refuses "${t}smtps-port: \"none\" is not a service" $s tls add p smtps-port none
refuses "has an empty part" $s tls add p smtps-port 465,
refuses "too many (at most 32)" $s tls add p smtps-port "$(printf '%s,' {1..32})33"
refuses "did you mean 10.0.2.0/24?" $s tls add p exempt-address 10.0.2.1/24
refuses "${t}exempt-address: \"x\" is not an address" $s tls add p exempt-address x
refuses "too many (at most 64)" $s tls add p exempt-address "$(printf '10.0.0.%s,' {1..64})10.0.1.1"
for name in "*" "a.*.org" "*a.org" "**.a.org" "*." ".a" "a..b" "a." "a b" "ä.org" "a/b" \
	"$(printf 'x%.0s' {1..64}).org" "$long"; do
	refuses "is not a name like mail.example.org" $s tls add p exempt-name "$name"
done
refuses "has an empty part" $s tls add p exempt-name a,,b
refuses "has an empty part" $s tls add p exempt-name ""
refuses "too many (at most 64)" $s tls add p exempt-name "$(printf 'a%s,' {1..64})b"
refuses "${t}exempt-regex: \"(\" is not a regular expression: " $s tls add p exempt-regex "("
refuses "is not a regular expression" $s tls add p exempt-regex a exempt-regex "[a"
refuses "it is empty" $s tls add p exempt-regex ""
refuses "is not up to 255 printable ASCII characters" $s tls add p exempt-regex $'a\nb'
refuses "is not up to 255 printable ASCII characters" $s tls add p exempt-regex "$long"

a='av profile "p": '
refuses "command missing" $s av
refuses 'unknown command "x", try "smtpsplice av help"' $s av x
refuses "av profile name missing" $s av add
refuses "av profile name missing" $s av set
refuses "av profile name missing" $s av del
refuses "not an av profile name" $s av add "a b"
refuses "not an av profile name" $s av set "$long"
refuses "not an av profile name" $s av del a/b
refuses '"off" is not an av profile name, a policy always has one; its option "av-scan disable"' \
	$s av add off
refuses 'unexpected word "q"' $s av del p q
refuses "${a}nothing to change" $s av set p
refuses "${a}unknown option \"x\"" $s av add p x y
refuses "${a}unknown option \"starttls\"" $s av set p starttls strip
refuses "${a}\"cache\" needs a value" $s av add p cache
for word in file-name replacement reply-failure hash-block archive-log; do
	refuses "${a}\"$word\" given twice" $s av add p $word none $word none
done
while read -r word values; do
	refuses "${a}$word: \"x\" is not $values" $s av add p "$word" x
	refuses "${a}$word: \"none\" is not $values" $s av set p "$word" none
done <<END
av-scan block, monitor or disable
executables default or virus
infected reject, replace or discard
oversize tempfail, block or pass
scan-error tempfail, block or pass
scan-timeout tempfail, block or pass
helper-down tempfail, block or pass
over-budget tempfail, block or pass
undecodable tempfail, block or pass
fragmail block or pass
mime-ambiguity block or monitor
quarantine enable or disable
cache enable or disable
END
for word in archive-block archive-log; do
	for value in x encrypted,x "$long" none,x 1; do
		refuses "is not encrypted, corrupted, partiallycorrupted, multipart, nested, mailbomb, timeout or unhandled" \
			$s av add p $word "$value"
	done
	refuses "${a}$word: \"nested,\" has an empty part" $s av add p $word nested,
	refuses "has an empty part" $s av add p $word ""
done
for word in oversize-limit uncompressed-limit; do
	for value in "" x -1 00 1T 0K 99999999999999999999 9999999999G off; do
		refuses "${a}$word: \"$value\" is not a size" $s av add p -- $word "$value"
	done
done
for value in "" 0 1 101 x 12K none; do
	refuses "${a}uncompressed-nest-limit: \"$value\" is not a number from 2 to 100" \
		$s av add p uncompressed-nest-limit "$value"
done
for value in "" x 0s 1d 30ms 169h 604801 none 99999999999999999999h; do
	refuses "${a}sender-ban: \"$value\" is not a time up to 168h" $s av set p sender-ban "$value"
done
refuses "${a}file-name: \"a,,b\" has an empty part" $s av add p file-name a,,b
refuses "has an empty part" $s av add p file-name ""
for value in $'a\nb' $'\e' $'\xff' $'a\u202etxt' "$(printf 'x%.0s' {1..256})"; do
	refuses "is not a pattern of up to 255 bytes of printable UTF-8" $s av add p file-name "ok,$value"
done
refuses "${a}file-name: too many (at most 64)" $s av add p file-name "$(printf '*.a%s,' {1..64})b"
for value in EXE doc a_b "a b" ä "*" "exe " "$(printf 'x%.0s' {1..32})"; do
	refuses "is not a type of file, see \"smtpsplice av help\"" $s av add p file-type "zip,$value"
done
refuses "has an empty part" $s av add p file-type ,
refuses "${a}file-type: too many (at most 64)" $s av add p file-type "$(printf 'exe,%.0s' {1..64})zip"

hash=$(printf 'aB%.0s' {1..32})
lists=$(mktemp -d)
for word in hash-block hash-allow; do
	for value in x "${hash}0" "${hash%B}" "${hash%B}g" "sha256:$hash" " $hash"; do
		refuses "${a}$word: \"${value:0:80}" $s av add p $word "$hash,$value"
		refuses "is not a SHA-256 (64 hex digits)" $s av add p $word "$value"
	done
	refuses "has an empty part" $s av add p $word ""
	refuses "${a}$word: too many (at most 64)" $s av add p $word "$(printf "$hash,%.0s" {1..64})$hash"
	refuses "${a}$word: file \"/nonexistent\": No such file or directory" $s av add p $word @/nonexistent
	refuses "${a}$word: file \"/\": Is a directory" $s av add p $word @/
	refuses "${a}$word: file \"\": No such file or directory" $s av add p $word @
	refuses "${a}$word: file \"/dev/zero\" is larger than 65536 bytes" $s av add p $word @/dev/zero
	printf '# one\n\n%s # two\r\n \t%s\n  x y\n' "$hash" "$hash" >"$lists/bad"
	refuses "${a}$word: line 5: \"x y\" is not a SHA-256" $s av add p $word "@$lists/bad"
	printf "$hash\n%.0s" {1..65} >"$lists/long"
	refuses "${a}$word: too many (at most 64)" $s av add p $word "@$lists/long"
	printf '%s\0\n' "$hash" >"$lists/nul"
	refuses "is not text" $s av add p $word "@$lists/nul"
done
for word in virus executable filename hash archive partial ambiguous oversize failure; do
	for value in "" "250 ok" "5540 x" "554" "554-x" "5a4 x" "560 x" x " 554 x" $'554 a\r\n250 b' $'554 \xe4' \
		"554 $(printf 'x%.0s' {1..507})"; do
		refuses "is not \"4yz \" or \"5yz \" and a text, up to 510 printable ASCII characters" \
			$s av add p reply-$word "$value"
	done
done
for value in "" $'a\tb' $'\e[1m' $'\xff' "$(printf 'x%.0s' {1..2049})"; do
	refuses "${a}replacement: \"" $s av add p replacement "$value"
	printf '%s' "$value" >"$lists/text"
	refuses "is not a text of up to 2048 bytes of printable UTF-8" $s av add p replacement "@$lists/text"
done
printf '\n' >"$lists/text"
refuses "${a}replacement: \"\" is not a text" $s av add p replacement "@$lists/text"
for value in none @x; do
	echo $value >"$lists/text"
	refuses "a text cannot be \"none\" nor begin with \"@\"" $s av add p replacement "@$lists/text"
done
refuses "${a}replacement: file \"/nonexistent\": No such file" $s av add p replacement @/nonexistent
refuses "file \"/dev/zero\" is larger than 4096 bytes" $s av add p replacement @/dev/zero
refuses 'unknown option "-- removed --"' $s av add p replacement "-- removed --"
refuses "${a}replacement: \"\" is not a text" $s av add p -- reply-virus none file-name -j replacement ""

refuses "command missing" $s ca
refuses 'unknown command "x"' $s ca x
refuses 'ca: unknown word "x"' $s ca init x
refuses 'ca: "dir" needs a value' $s ca init dir
refuses 'ca: "subject" needs a value' $s ca init subject
refuses 'ca: "dir" given twice' $s ca init dir /a dir /b
refuses 'ca: dir "" is not a folder' $s ca show dir ""
refuses 'ca: dir "xxx' $s ca show dir "$long"
refuses 'ca: unknown word "subject"' $s ca show subject CN=x
refuses 'ca: unknown word "untrusted"' $s ca show untrusted
refuses 'ca: subject "" is not a subject' $s ca init subject ""
refuses 'is not a subject' $s ca init subject $'CN=a\nb'
refuses 'is not a subject' $s ca init subject "CN=$long"

ca=$(mktemp -d)
refuses "CA in $ca/ca: " $s ca init dir "$ca/ca" subject nonsense
result "$([[ ! -e $ca/ca/ca.pem ]] && echo 1 || echo 0)" "nothing was made"
fails "CA in $ca/ca: there is none, see \"smtpsplice ca init\"" $s ca show dir "$ca/ca"
fails "CA in $ca/ca: there is none, see \"smtpsplice ca init\"" $s ca export dir "$ca/ca"
prints "Install ca.pem on the clients" $s ca init dir "$ca/ca" subject "CN=Test CA"
before=$(cat "$ca/ca"/*)
fails "CA in $ca/ca: " $s ca init dir "$ca/ca" subject "CN=Other CA"
result "$([[ $before == "$(cat "$ca/ca"/*)" ]] && echo 1 || echo 0)" "nothing was overwritten"
prints "subject CN=Test CA" $s ca show dir "$ca/ca"
prints '"subject":"CN=Test CA"' $s -j ca show dir "$ca/ca"
prints "-----BEGIN CERTIFICATE-----" $s ca export dir "$ca/ca"
prints "-----BEGIN CERTIFICATE-----" $s ca export untrusted dir "$ca/ca"
echo "-----BEGIN PRIVATE KEY-----" >>"$ca/ca/ca.pem"
out=$($s ca export dir "$ca/ca")
result "$([[ $out == "-----BEGIN CERT"*"-----END CERTIFICATE-----" ]] && echo 1 || echo 0)" \
	"export prints certificates alone"
echo x >"$ca/ca/untrusted-ca.pem"
fails "no certificate in it" $s ca export untrusted dir "$ca/ca"
rm -rf "$ca"

q=("$s" quarantine) id=12-0123456789abcdef.eml
refuses "command missing" "${q[@]}"
refuses 'unknown command "x"' "${q[@]}" x
refuses 'quarantine: unknown word "x"' "${q[@]}" list x
refuses 'quarantine: unknown word "raw"' "${q[@]}" list raw
refuses 'quarantine: "dir" needs a value' "${q[@]}" list dir
refuses 'quarantine: "dir" given twice' "${q[@]}" list dir / dir /
refuses 'quarantine: dir: it is empty' "${q[@]}" list dir ""
for command in show release delete; do
	refuses "quarantine: name missing" "${q[@]}" $command
	refuses "quarantine: \"x\" is not a name like" "${q[@]}" $command x
	refuses "is not a name like" "${q[@]}" $command ../$id
	refuses "is not a name like" "${q[@]}" $command /$id
	refuses "is not a name like" "${q[@]}" $command .$id
	refuses "is not a name like" "${q[@]}" $command ""
	refuses "is not a name like" "${q[@]}" $command "$long"
	refuses "is not a name like" "${q[@]}" $command "${id%.eml}.json"
	refuses "is not a name like" "${q[@]}" $command $'\e[31m\n'
	refuses "quarantine: unknown word \"x\"" "${q[@]}" $command $id x
	fails "quarantine /nonexistent: No such file" "${q[@]}" $command $id dir /nonexistent
done
refuses "is not a name like" "${q[@]}" show all
refuses "is not a name like" "${q[@]}" release all
refuses 'quarantine: unknown word "to"' "${q[@]}" delete $id to a@example.org
refuses 'quarantine: "to" needs a value' "${q[@]}" release $id to
refuses 'quarantine: to: it is empty' "${q[@]}" release $id to ""
refuses 'quarantine: sendmail: it is empty' "${q[@]}" release $id sendmail ""
for address in "" "|x" "/x" ":include:/x" $'a\nb' $'a\e' $'a\xff' "$long" \
	"a@x;b@x" "a b@x" "<a@x>" "a@x(b)" "@x:a@x" '"a@x' 'a"@x' 'a\b@x' 'a:[x' '[a:b@x' '"@[":c]@x'; do
	refuses "is not an address to send to" "${q[@]}" release $id to "a@example.org,$address"
	[[ -z $address ]] || refuses "is not an address to send from" "${q[@]}" release $id sender "$address"
done
refuses '"-x" is not an address to send to' "${q[@]}" release $id to "a@example.org,-x"
refuses 'unknown option "-x"' "${q[@]}" release $id sender -x
refuses "too many recipients" "${q[@]}" release $id to "$(printf 'a%s,' {1..1000})b"
fails "quarantine /nonexistent: No such file" "${q[@]}" list dir /nonexistent
fails "quarantine /dev/null: Not a directory" "${q[@]}" list dir /dev/null

quar=$(mktemp -d)
put() { # NAME JSON: a message, and a note about it
	printf 'Subject: a\e[31m\tb\r\nX: 1\r\n\r\nbody\r\n' >"$quar/$1"
	printf '%s' "$2" >"$quar/${1%.eml}.json"
}
note='{"time":"2026-01-02T03:04:05Z","session":12,"client":"10.0.1.2","sender":"s@example.net",
	"rcpts":["\"a,b\"@example.org","c@example.org"],"rcpt-count":2,"size":1,"virus":"V\u001b[31m"}'
printf '#!/bin/sh\nprintf "<%%s>" "$@" >%q\ncat >%q\nexit "$(cat %q)"\n' "$quar/args" \
	"$quar/stdin" "$quar/status" >"$quar/sendmail"
chmod +x "$quar/sendmail"
echo 0 >"$quar/status"
is() { # NAME VALUE WANT
	[[ $2 == "$3" ]] || echo "# $2"
	result "$([[ $2 == "$3" ]] && echo 1 || echo 0)" "$1"
}

put $id "$note"
touch -d '2026-01-02 03:04:05Z' "$quar/$id"
put 13-0123456789abcdef.eml "spoilt"
ln -s $id "$quar/14-0123456789abcdef.eml"
prints "$id  2026-01-02T03:04:05Z" "${q[@]}" list dir "$quar"
prints '"a,b"@example.org +1  V?[31m' "${q[@]}" list dir "$quar"
prints "13-0123456789abcdef.eml" "${q[@]}" list dir "$quar"
is "one line for each message" "$("${q[@]}" list dir "$quar" | wc -l)" 3
prints '"virus":"V\u001b[31m"' $s -j quarantine list dir "$quar"
prints "rcpts \"a,b\"@example.org,c@example.org" "${q[@]}" show $id dir "$quar"
prints $'head\n  Subject: a?[31m b\n  X: 1' "${q[@]}" show $id dir "$quar"
prints '"head":"Subject: a\u001b[31m\tb\r\nX: 1\r\n"' "${q[@]}" show $id dir "$quar" -j
is "show keeps the body to itself" "$("${q[@]}" show $id dir "$quar" | grep -c body)" 0
is "raw is the message" "$("${q[@]}" show $id raw dir "$quar" | sha256sum)" "$(sha256sum <"$quar/$id")"
fails "14-0123456789abcdef.eml: Too many levels of symbolic links" "${q[@]}" show 14-0123456789abcdef.eml dir "$quar"
fails "15-0123456789abcdef.eml: No such file" "${q[@]}" show 15-0123456789abcdef.eml raw dir "$quar"
if out=$(script -qec "$s quarantine show $id raw dir $quar" /dev/null </dev/null 2>&1); then :; fi
is "raw is not for a terminal" "${out//$'\r'/}" "smtpsplice: quarantine: raw: not to a terminal, redirect it"

echo 75 >"$quar/status"
fails "ended with status 75, $id is kept" "${q[@]}" release $id dir "$quar" sendmail "$quar/sendmail"
fails "/nonexistent: No such file" "${q[@]}" release $id dir "$quar" sendmail /nonexistent
is "what is not sent stays" "$(cd "$quar" && echo 12*)" "12-0123456789abcdef.eml 12-0123456789abcdef.json"
echo 0 >"$quar/status"
cp "$quar/$id" "$quar/want"
prints "" "${q[@]}" release $id dir "$quar" sendmail "$quar/sendmail"
is "arguments of sendmail" "$(cat "$quar/args")" \
	'<-i><-f><s@example.net><--><"a,b"@example.org><c@example.org>'
is "message of sendmail" "$(sha256sum <"$quar/stdin")" "$(sha256sum <"$quar/want")"
is "what is sent is gone" "$(cd "$quar" && echo 12*)" "12*"
fails "its recipients are not known, give \"to\"" "${q[@]}" release 13-0123456789abcdef.eml dir "$quar"
prints "" "${q[@]}" release 13-0123456789abcdef.eml dir "$quar" sendmail "$quar/sendmail" sender "" \
	to 'a@[IPv6:fd00::1],"a\" b"@example.org,ä@example.org'
is "arguments as typed" "$(cat "$quar/args")" \
	'<-i><-f><<>><--><a@[IPv6:fd00::1]><"a\" b"@example.org><ä@example.org>'
put $id "${note/\"rcpt-count\":2/\"rcpt-count\":3}"
fails "not all of its recipients are known" "${q[@]}" release $id dir "$quar" sendmail "$quar/sendmail"
for rcpt in '-oQ/tmp' '|sh' '/x' 'a\nb@example.org' 'a@example.org,b@example.org'; do
	put $id "${note/c@example.org/$rcpt}"
	fails "it has a recipient that cannot be sent to" "${q[@]}" release $id dir "$quar" sendmail "$quar/sendmail"
	put $id "${note/s@example.net/$rcpt}"
	fails "it has a sender that cannot be sent from" "${q[@]}" release $id dir "$quar" sendmail "$quar/sendmail"
done
prints "" "${q[@]}" delete $id dir "$quar"
fails "$id: No such file" "${q[@]}" delete $id dir "$quar"
put $id "$note"
put 13-0123456789abcdef.eml "$note"
prints "" "${q[@]}" delete all dir "$quar"
prints "NAME" "${q[@]}" list dir "$quar"
is "other files are not touched" "$(cd "$quar" && echo *)" \
	"14-0123456789abcdef.eml args sendmail status stdin want"
rm -rf "$quar"

refuses 'bad option "x"' $d x
refuses 'bad option "--x"' $d --x
refuses 'bad option' $d $'--\e[31m\n'
refuses 'bad option "--log"' $d --log
refuses 'not a number from 1' $d --workers 0
refuses 'not a number from 1' $d --workers 1x
refuses 'not a number from 1' $d --workers 1000000
refuses 'bad option "--quarantine"' $d --quarantine
refuses 'not a size' $d --quarantine-quota 0
refuses 'not a size' $d --quarantine-quota 1T
refuses 'not a size' $d --quarantine-max-size x
refuses 'not a number of hours' $d --quarantine-age -1
refuses 'not a number of hours' $d --quarantine-age 1d
refuses 'not a number of hours' $d --quarantine-age 99999999999999999999
refuses 'not drop-new or overwrite-old' $d --quarantine-lowspace ovrw-old
refuses '--reload "-1": not a number from 0 to 86400' $d --reload -1
refuses '--reload "86401": not a number' $d --reload 86401
refuses '--reload "": not a number' $d --reload ""
refuses 'bad option "--state"' $d --state
refuses 'must be one line' $d --reply "250 ok"
refuses 'must be one line' $d --reply $'554 a\r\n250 b'

for option in --trust --crl; do
	refuses "$option \"/nonexistent\": No such file or directory" $d $option /nonexistent
	refuses "$option \"/\": Is a directory" $d $option /
	refuses "bad option \"$option\"" $d $option
done
refuses 'bad option "--ca-dir"' $d --ca-dir
refuses 'bad option "--cert-dir"' $d --cert-dir

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
	refuses "smtpsplice: $gone" $s policy add mail-in tls default
	refuses "smtpsplice: $gone" $s show tls
	refuses "smtpsplice: $gone" $s show av
	refuses "smtpsplice: $gone" $s policy add mail-in av strict tls default
	refuses "smtpsplice: $gone" $s av del p
	refuses "smtpsplice: $gone" $s av set p sender-ban off
	refuses "smtpsplice: $gone" $s av set p sender-ban 168h oversize-limit 0 replacement $'a\nb'
	printf '# none yet' >"$lists/none"
	head -n 64 "$lists/long" >"$lists/hashes"
	printf 'Removed: %%%%FILE%%%%\r\n\r\nÄrger\r\n' >"$lists/text"
	refuses "smtpsplice: $gone" $s av add p av-scan monitor infected replace archive-block none \
		archive-log encrypted,unhandled oversize-limit 10M oversize pass uncompressed-limit none \
		uncompressed-nest-limit 100 fragmail pass file-name '*.exe,[a-c]?.ä b' file-type exe,msoffice \
		hash-block "@$lists/hashes" hash-allow "@$lists/none" sender-ban 604800 \
		reply-virus "554 5.7.1 $(printf 'x%.0s' {1..500})" reply-failure "451 x" \
		reply-hash none replacement "@$lists/text"
	refuses "smtpsplice: $gone" $s av add p replacement "@$lists/none" -- file-name "-x"
	refuses "smtpsplice: $gone" $s tls del p
	refuses "smtpsplice: $gone" $s tls set p starttls strip
	refuses "smtpsplice: $gone" $s tls add p smtps inspect smtps-port smtps,4650 \
		starttls require expired-server-cert ignore client-certificate block \
		server-cert-mode replace server-cert mx.example exempt-address 10.0.0.0/8,fd00::1 \
		exempt-name "*.example.org,b" exempt-regex "^mx[0-9]{1,2}\\." exempt-regex "b,c"
	refuses "smtpspliced: $gone" $d --trust /etc/hostname --crl /etc/hostname --ca-dir /x \
		--cert-dir /y
	refuses "smtpsplice: $gone" $s set max-sessions 10 max-message 50M max-held 2G \
		dial-timeout 30 handshake-timeout 20s scan-timeout 1500ms reply-timeout 5m keepalive 9 bare-newline allow \
		message-timeout 4m conserve-green 1 conserve-red 88 conserve-extreme 100 \
		max-client-held 100 max-client-handshakes 1 max-client-scans 1000000
fi
rm -rf "$lists"

echo "1..$count"
((failed == 0))
