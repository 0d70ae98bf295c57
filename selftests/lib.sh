# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0
#
# For tests written in bash, in the VM: TAP output, waiting on conditions, the
# lab's namespaces, mail servers in "server". A test is a file test_*.sh:
#
#    . "$(dirname "$0")/lib.sh"
#    plan 2
#    lab up; trap cleanup EXIT
#    start_postfix
#    check "a mail is taken" in_client swaks --server $SERVER4 --to a@example.org
#    is "$(delivered)" 1 "and delivered"

LAB_RUN=${LAB_RUN:-/run/smtpsplice-lab}
SELFTESTS=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck disable=SC2034  # for the tests
CLIENT4=10.0.1.2 CLIENT6=fd00:1::2 SERVER4=10.0.2.2 SERVER6=fd00:2::2

# --- TAP -------------------------------------------------------------------

TAP_COUNT=0 TAP_FAILED=0 TAP_PLAN=

plan() { TAP_PLAN=$1; echo "1..$1"; }
diag() { printf '# %s\n' "${*//$'\n'/$'\n'# }"; }
bail_out() { echo "Bail out! $*"; exit 1; }

# result STATUS DESCRIPTION
result() {
	TAP_COUNT=$((TAP_COUNT + 1))
	if (($1 == 0)); then
		echo "ok $TAP_COUNT - $2"
	else
		TAP_FAILED=$((TAP_FAILED + 1))
		echo "not ok $TAP_COUNT - $2"
	fi
}
ok() { result 0 "$1"; }
not_ok() { result 1 "$1"; }

skip() {
	TAP_COUNT=$((TAP_COUNT + 1))
	echo "ok $TAP_COUNT # SKIP $1"
}

# check DESCRIPTION CMD...: ok if CMD succeeds; its output is shown if not.
check() {
	local what=$1 out status=0
	shift
	out=$("$@" 2>&1) || status=$?
	result $status "$what"
	((status == 0)) || diag "status $status from: $*"$'\n'"$out"
}

# refute DESCRIPTION CMD...: ok if CMD fails.
refute() {
	local what=$1 out status=0
	shift
	out=$("$@" 2>&1) || status=$?
	result $((status == 0)) "$what"
	((status != 0)) || diag "succeeded: $*"$'\n'"$out"
}

# is GOT WANTED DESCRIPTION
is() {
	if [[ $1 == "$2" ]]; then ok "$3"; else not_ok "$3"; diag "got '$1', wanted '$2'"; fi
}

# like GOT REGEX DESCRIPTION
like() {
	if [[ $1 =~ $2 ]]; then ok "$3"; else not_ok "$3"; diag "got '$1', wanted something like '$2'"; fi
}

# Last line of a test.
finish() {
	[[ -n $TAP_PLAN ]] || echo "1..$TAP_COUNT"
	exit $((TAP_FAILED > 0))
}

# --- waiting ---------------------------------------------------------------

# wait_for CMD...: until CMD succeeds; fails after WAIT_SECONDS, a bound that
# only a broken test reaches, since emulated machines are slow.
WAIT_SECONDS=${WAIT_SECONDS:-120}
wait_for() {
	local end=$((SECONDS + WAIT_SECONDS))
	until "$@"; do
		((SECONDS < end)) || return 1
		sleep 0.1
	done
}

# process_gone PID: it has ended, if perhaps its parent has not looked yet.
process_gone() { [[ ! -e /proc/$1 ]] || grep -qs '^State:.*Z' "/proc/$1/status"; }

# --- the lab ---------------------------------------------------------------

lab() { "$SELFTESTS/lab" "$@" | sed 's/^/# /'; return "${PIPESTATUS[0]}"; }
in_client() { ip netns exec client "$@"; }
in_gw() { ip netns exec gw "$@"; }
in_server() { ip netns exec server "$@"; }

# json KEY: the value of a top-level key of the JSON object on stdin, or nothing.
json() { sed -n "s/.*\"$1\": *\"\\{0,1\\}\\([^,\"}]*\\).*/\\1/p" | head -n 1; }

# counter NAME: one of the gateway's counters.
counter() { in_gw smtpsplice -j show stats | json "$1"; }

# listening NAMESPACE PORT
listening() { [[ -n $(ip netns exec "$1" ss -Hltn "sport = :$2") ]]; }

# cleanup: for "trap cleanup EXIT".
cleanup() {
	stop_postfix
	stop_sink
	lab down || not_ok "nothing leaked"
}

# --- mails -----------------------------------------------------------------

# header FIELD...: of a mail, with these fields as well, and the empty line.
header() {
	printf '%s\r\n' "From: <alice@example.org>" "To: <bob@example.org>" "Subject: test" "$@" ""
}

# The EICAR test file, which no file of this tree may hold.
eicar() {
	printf '%s%s%s' 'X5O!P%@AP[4\PZX54(P^)7CC)7}$' 'EICAR-STANDARD-ANTIVIRUS-' 'TEST-FILE!$H+H*'
}

infected_mail() {
	header "MIME-Version: 1.0" "Content-Type: application/octet-stream; name=eicar.com" \
		"Content-Disposition: attachment; filename=eicar.com" "Content-Transfer-Encoding: base64"
	eicar | base64 -w 0
	printf '\r\n'
}

# body FILE: without its header and empty lines at its end, of which some add one.
body() { printf '%s\n' "$(sed '1,/^\r*$/d' "$1" | tr -d '\r')"; }
hash_of() { sha256sum | cut -d' ' -f1; }

# --- Postfix in "server" ---------------------------------------------------

# start_postfix [PARAMETER=VALUE]...: on ports 25, 465 and 587, with TLS, taking
# mail for everybody into the maildir $LAB_RUN/inbox. Its log is
# $LAB_RUN/postfix.log.
POSTFIX=$LAB_RUN/postfix
start_postfix() {
	mkdir -p "$LAB_RUN/inbox"
	chown nobody "$LAB_RUN/inbox"
	make_instance "$POSTFIX"
	postfix_main "$@" >"$POSTFIX/etc/main.cf"
	postfix_master >"$POSTFIX/etc/master.cf"
	start_instance "$POSTFIX" server 25
}

# make_instance DIR: the folders of a Postfix, as "postfix start" would make them
# with some hundred processes; etc is empty.
make_instance() {
	local dir
	mkdir -p "$1"/{etc,data,spool}
	chown postfix "$1/data"
	for dir in active bounce corrupt defer deferred flush hold incoming private saved trace; do
		install -d -o postfix -m 700 "$1/spool/$dir"
	done
	install -d -o postfix -g postdrop -m 730 "$1/spool/maildrop"
	install -d -o postfix -g postdrop -m 710 "$1/spool/public"
	install -d "$1/spool/pid"
}

# start_instance DIR NAMESPACE PORT: until it listens there.
start_instance() {
	ip netns exec "$2" /usr/lib/postfix/sbin/master -w -c "$1/etc" || return
	wait_for listening "$2" "$3"
}

# stop_instance DIR: if it runs.
stop_instance() {
	local pid
	[[ -e $1/spool/pid/master.pid ]] || return 0
	pid=$(tr -d ' ' <"$1/spool/pid/master.pid")
	kill -TERM -- "-$pid" 2>/dev/null || kill -TERM "$pid" 2>/dev/null || return 0
	wait_for process_gone "$pid"
	rm -f "$1/spool/pid/master.pid"
}

postfix_main() {
	cat <<-END
		compatibility_level = 3.6
		queue_directory = $POSTFIX/spool
		data_directory = $POSTFIX/data
		maillog_file = $LAB_RUN/postfix.log
		maillog_file_prefixes = $LAB_RUN
		myhostname = mail.example.org
		inet_protocols = all
		mydestination =
		alias_maps =
		local_recipient_maps =
		smtpd_relay_restrictions = reject_unauth_destination
		smtpd_client_connection_count_limit = 0
		smtpd_peername_lookup = no
		smtpd_tls_security_level = may
		smtpd_tls_chain_files = $LAB_RUN/server.key, $LAB_RUN/server.pem
		message_size_limit = 100000000
		mailbox_size_limit = 0
		virtual_mailbox_limit = 0
		virtual_mailbox_domains = static:all
		virtual_mailbox_base = $LAB_RUN
		virtual_mailbox_maps = static:inbox/
		virtual_uid_maps = static:$(id -u nobody)
		virtual_gid_maps = static:$(id -g nobody)
		virtual_minimum_uid = 1
	END
	printf '%s\n' "$@"
}

postfix_master() {
	cat <<-END
		smtp       inet n - n - - smtpd
		submission inet n - n - - smtpd
		cleanup    unix n - n - 0 cleanup
		qmgr       unix n - n 300 1 qmgr
		rewrite    unix - - n - - trivial-rewrite
		bounce     unix - - n - 0 bounce
		defer      unix - - n - 0 bounce
		trace      unix - - n - 0 bounce
		virtual    unix - n n - - virtual
		error      unix - - n - - error
		retry      unix - - n - - error
		anvil      unix - - n - 1 anvil
		proxymap   unix - - n - - proxymap
		postlog    unix-dgram n - n - 1 postlogd
		tlsmgr     unix - - n 1000 1 tlsmgr
		smtps      inet n - n - - smtpd -o smtpd_tls_wrappermode=yes
	END
}

stop_postfix() { stop_instance "$POSTFIX"; }

# inbox: the messages that Postfix has delivered; delivered: how many; await_delivered N.
inbox() { find "$LAB_RUN/inbox" -type f -path '*/new/*' 2>/dev/null; }
delivered() { inbox | wc -l; }
have_delivered() { (($(delivered) >= $1)); }
await_delivered() { wait_for have_delivered "$1"; }

# --- the sink in "server" --------------------------------------------------

# start_sink [OPTION]...: selftests/sink.py on port 25, 465 and 587, in the
# plain. $LAB_RUN/sink holds what it saw: received (every octet), messages.
start_sink() {
	mkdir -p "$LAB_RUN/sink"
	# Not by in_server: the pid is to be the sink's, not a subshell's.
	ip netns exec server /usr/bin/python3 "$SELFTESTS/sink.py" --dir "$LAB_RUN/sink" "$@" \
		</dev/null >"$LAB_RUN/sink/log" 2>&1 &
	SINK_PID=$!
	wait_for test -e "$LAB_RUN/sink/ready"
}

stop_sink() {
	[[ -n ${SINK_PID:-} ]] || return 0
	kill "$SINK_PID" 2>/dev/null || true
	wait "$SINK_PID" 2>/dev/null || true
	SINK_PID=
}
