#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Real mail clients and servers through the gateway: swaks, msmtp, Python's
# smtplib and smtp-source; Postfix and smtp-sink; IPv4 and IPv6. What arrives
# is compared by hash. LOAD_MESSAGES is how many smtp-source sends: 200 on the
# debug kernel, which runs natively, and 60 on those that may be emulated.

set -uo pipefail
# shellcheck source=selftests/lib.sh
. "$(dirname "$0")/lib.sh"

if [[ ${SMTPSPLICE_KERNEL:-} == debug ]]; then
	LOAD_MESSAGES=${LOAD_MESSAGES:-200}
fi
LOAD_MESSAGES=${LOAD_MESSAGES:-60}
SINK=$LAB_RUN/smtp-sink
WORK=$(mktemp -d)

finish_up() {
	stop_smtp_sink
	cleanup
	rm -rf "$WORK"
}

# arrives BODY DESCRIPTION CMD...: CMD sends a mail whose body arrives as BODY.
arrives() {
	local body=$1 what=$2 before out status=0
	shift 2
	before=$(delivered)
	out=$("$@" 2>&1) || status=$?
	if ((status)) || ! await_delivered $((before + 1)); then
		not_ok "$what"
		diag "status $status"$'\n'"$out"
	else
		is "$(body "$(inbox | head -n 1)" | hash_of)" "$(hash_of <"$body")" "$what"
	fi
	inbox | xargs -r rm -f
}

# refused DESCRIPTION CMD...: CMD fails and says 554 and the names.
refused() {
	local what=$1 out status=0
	shift
	out=$("$@" 2>&1) || status=$?
	if ((status)) && [[ $out == *554* && $out == *eicar.com* && $out == *Eicar-Test-Signature* ]]; then
		ok "$what"
	else
		not_ok "$what"
		diag "status $status"$'\n'"$out"
	fi
}

signal_helper() { ip netns pids gw | xargs -r kill -"$1"; }
scanning() { in_gw smtpsplice show sessions | grep -qw scan; }
server_left() { [[ -z $(in_server ss -Htn state established 'sport = :25') ]]; }

# slow_scan CMD...: the same while no verdict comes until the server has left.
slow_scan() {
	local sender status=0
	signal_helper STOP
	"$@" &
	sender=$!
	wait_for scanning && wait_for server_left || status=1
	signal_helper CONT
	wait "$sender" && ((status == 0))
}

make_mails() {
	{ header; head -c 300000 /dev/urandom | base64 | sed 's/$/\r/'; printf '.\r\n..dots\r\n'; } >"$WORK/clean"
	body "$WORK/clean" >"$WORK/clean.body"
	infected_mail >"$WORK/infected"
}

swaks_send() { in_client swaks --server "$1" --from alice@example.org --to bob@example.org --data "@$2" --suppress-data; }

msmtp_send() {
	# msmtp takes mail with the line ends of this system
	tr -d '\r' <"$2" | in_client msmtp --host="$1" --port=25 --tls=off --auth=off \
		--from=alice@example.org --domain=client.example.org bob@example.org
}

smtplib_send() {
	in_client /usr/bin/python3 - "$1" "$2" <<-'END'
		import smtplib, sys
		with smtplib.SMTP(sys.argv[1], local_hostname="client.example.org") as s:
		    s.sendmail("alice@example.org", ["bob@example.org"], open(sys.argv[2], "rb").read())
	END
}

# start_smtp_sink ADDRESS:PORT
start_smtp_sink() {
	mkdir -p "$SINK"
	chown nobody "$SINK"
	ip netns exec server smtp-sink -u nobody -d "$SINK/m." "$1" 512 </dev/null >"$SINK.log" 2>&1 &
	SMTP_SINK=$!
	wait_for listening server 25
}

SMTP_SINK=
stop_smtp_sink() {
	[[ -n $SMTP_SINK ]] || return 0
	kill "$SMTP_SINK" 2>/dev/null
	wait "$SMTP_SINK" 2>/dev/null
	SMTP_SINK=
}

# load SIZE COUNT SERVER: COUNT messages of SIZE octets over 20 sessions, all
# of which arrive, and all alike.
load() {
	local size=$1 count=$2 what="$2 messages of $1 octets by 20 sessions to $3" out got
	rm -rf "${SINK:?}"
	start_smtp_sink "$3"
	if ! out=$(in_client smtp-source -s 20 -m "$count" -l "$size" -f a@example.org -t b@example.org "$3" 2>&1); then
		not_ok "$what"
		diag "$out"
	else
		# smtp-source's body is lines of X; the rest differs between mails
		got=$(for f in "$SINK"/m.*; do grep -aE '^X+.?$' "$f" | tr -d '\r' | hash_of; done | sort | uniq -c | awk '{ print $1 }')
		is "$got" "$count" "$what"
	fi
	stop_smtp_sink
}

plan 17
lab up || bail_out "no lab"
trap finish_up EXIT
make_mails
start_postfix

for server in "$SERVER4" "$SERVER6"; do
	for client in swaks msmtp smtplib; do
		arrives "$WORK/clean.body" "$client: a clean mail reaches Postfix at $server" "${client}_send" "$server" "$WORK/clean"
		refused "$client: an infected mail is refused at $server" "${client}_send" "$server" "$WORK/infected"
	done
done
stop_postfix

start_postfix "smtpd_timeout = 3s"
arrives "$WORK/clean.body" "K6: a server whose patience ends in the scan gets its mail" \
	slow_scan swaks_send "$SERVER4" "$WORK/clean"
stop_postfix

# 1 B to 5 MB; few of the large ones, many of the small
load 1 $((LOAD_MESSAGES * 5 / 10)) "$SERVER4:25"
load 1000 $((LOAD_MESSAGES * 3 / 10)) "[$SERVER6]:25"
load 100000 $((LOAD_MESSAGES * 18 / 100)) "$SERVER4:25"
load 5000000 $((LOAD_MESSAGES * 2 / 100)) "$SERVER4:25"
finish
