#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Real mail clients and servers with TLS of their own, through the gateway:
# Postfix and OpenSMTPD (OpenSSL) and Exim (GnuTLS), each with TLS 1.2 and 1.3;
# swaks, msmtp, smtplib, Postfix's smtp(8), Exim by BDAT, nodemailer, openssl and
# gnutls-cli. The clients trust the gateway's CA alone, and look for the server's
# name. What arrives is compared by hash.

set -uo pipefail
# shellcheck source=selftests/lib.sh
. "$(dirname "$0")/lib.sh"

PEERS=$SMTPSPLICE_PEERS
HOST=gateway.internal.lab
CA=$LAB_RUN/ca.pem
WORK=$LAB_RUN/peers
SERVER_PID="" SESSIONS=0

finish_up() {
	stop_server
	stop_relay
	leave_root
	cleanup
}

# --- the Debian 13 root ----------------------------------------------------

enter_root() {
	mount -t proc proc "$PEERS/proc"
	mount --rbind /dev "$PEERS/dev"
	# there is no name server, and nobody shall wait for one
	touch "$PEERS/etc/resolv.conf"
	mount --bind /dev/null "$PEERS/etc/resolv.conf"
	mkdir -p "$PEERS$LAB_RUN"
	mount --bind "$LAB_RUN" "$PEERS$LAB_RUN"
	echo "$SERVER4 $HOST" | tee -a "$PEERS/etc/hosts" >>/etc/hosts
}

leave_root() {
	umount "$SMTPD_SPOOL" 2>/dev/null
	umount "$PEERS$LAB_RUN" "$PEERS/etc/resolv.conf" "$PEERS/proc" 2>/dev/null
	umount -l "$PEERS/dev" 2>/dev/null
}

# --- servers, on ports 25 and 465, with one version of TLS -----------------

# start_server NAME 1.2|1.3: it delivers into the maildir $LAB_RUN/inbox.
start_server() {
	SERVER=$1 VERSION=$2
	case $1 in
	postfix) start_postfix "smtpd_tls_protocols = TLSv$2" "smtpd_tls_mandatory_protocols = TLSv$2" ;;
	*) "start_$1" "$2" ;;
	esac && wait_for listening server 25 && wait_for listening server 465
}

stop_server() {
	stop_postfix
	[[ -n $SERVER_PID ]] || return 0
	kill "$SERVER_PID"
	wait "$SERVER_PID" 2>/dev/null
	SERVER_PID=
}

exim_conf() {
	cat <<-END
		exim_user = nobody
		exim_group = nogroup
		never_users =
		primary_hostname = mail.example.org
		spool_directory = $WORK/exim
		log_file_path = $WORK/exim/%slog
		pid_file_path =
		local_interfaces = $SERVER4
		daemon_smtp_ports = 25 : 465
		tls_on_connect_ports = 465
		tls_advertise_hosts = *
		tls_certificate = $WORK/server.pem
		tls_privatekey = $WORK/server.key
		tls_require_ciphers = NORMAL:-VERS-ALL:+VERS-TLS$1
		tls_resumption_hosts = *
		message_size_limit = 100M
		acl_smtp_rcpt = accept
		host_lookup =
		rfc1413_hosts =
		keep_environment =
		begin acl
		accept:
		  accept
		begin routers
		all:
		  driver = accept
		  transport = inbox
		begin transports
		inbox:
		  driver = appendfile
		  directory = $LAB_RUN/inbox
		  maildir_format
		  user = nobody
		  group = nogroup
	END
}

start_exim() {
	install -d -o nobody "$WORK/exim"
	exim_conf "$1" >"$WORK/exim.conf"
	ip netns exec server chroot "$PEERS" /usr/sbin/exim4 -C "$WORK/exim.conf" -bdf -odf \
		</dev/null >"$WORK/exim.log" 2>&1 &
	SERVER_PID=$!
}

# Its queue wants owners and modes that a folder of the host need not keep.
SMTPD_SPOOL=$PEERS/var/spool/smtpd
opensmtpd_conf() {
	cat <<-END
		pki lab cert "$LAB_RUN/server.pem"
		pki lab key "$LAB_RUN/server.key"
		table everybody { "@" = nobody }
		smtp max-message-size 100M
		listen on $SERVER4 port 25 tls pki lab protocols "TLSv$1" hostname mail.example.org
		listen on $SERVER4 port 465 smtps pki lab protocols "TLSv$1" hostname mail.example.org
		action inbox maildir "$LAB_RUN/inbox" virtual <everybody>
		match from any for any action inbox
	END
}

start_opensmtpd() {
	mkdir -p "$SMTPD_SPOOL"
	mountpoint -q "$SMTPD_SPOOL" || mount -t tmpfs -o mode=711 tmpfs "$SMTPD_SPOOL"
	opensmtpd_conf "$1" >"$WORK/opensmtpd.conf"
	ip netns exec server chroot "$PEERS" /usr/sbin/smtpd -d -f "$WORK/opensmtpd.conf" \
		</dev/null >"$WORK/opensmtpd.log" 2>&1 &
	SERVER_PID=$!
}

# Exim as a client. Where the server offers CHUNKING, it sends by BDAT.
EXIM_CLIENT=$WORK/exim-client
exim_client_conf() {
	cat <<-END
		exim_user = nobody
		exim_group = nogroup
		never_users =
		primary_hostname = client.example.org
		spool_directory = $EXIM_CLIENT
		log_file_path = $EXIM_CLIENT/%slog
		disable_ipv6
		keep_environment =
		ignore_bounce_errors_after = 0s
		begin routers
		all:
		  driver = manualroute
		  route_list = * $HOST byname
		  transport = out
		begin transports
		out:
		  driver = smtp
		  hosts_require_tls = *
		  tls_verify_hosts = *
		  tls_verify_certificates = $CA
	END
}

by_bdat() { [[ $SERVER != opensmtpd ]]; }

# Its log says "K" of a mail that went by BDAT. Where its delivery process has lost its
# rights by -C, that goes to stderr.
exim_send() {
	install -d -o nobody "$EXIM_CLIENT"
	exim_client_conf >"$WORK/exim-client.conf"
	rm -f "$EXIM_CLIENT/mainlog"
	# no sender, as with Postfix
	tr -d '\r' <"$1" | ip netns exec client chroot "$PEERS" /usr/sbin/exim4 \
		-C "$WORK/exim-client.conf" -odf -oi -f '<>' bob@example.org \
		>"$WORK/exim-client.log" 2>&1
	cat "$WORK/exim-client.log" "$EXIM_CLIENT/mainlog"
	grep -q "=> bob@.* $(by_bdat && echo 'K ')C=\"250" "$WORK/exim-client.log" "$EXIM_CLIENT/mainlog"
}

# What a server has to say when something went wrong.
server_log() { tail -n 8 "$LAB_RUN/postfix.log" "$WORK"/{exim.log,exim/mainlog,opensmtpd.log,relay.log} 2>/dev/null; }

# --- clients: send FILE by STARTTLS, or with PORT 465 by TLS from the start ----
# Those that have a choice speak no more than TLS 1.2 if VERSION says so.

swaks_send() {
	local tls=-tls
	((${2:-25} == 25)) || tls=--tls-on-connect
	in_client swaks --server "$HOST:${2:-25}" "$tls" --tls-verify --tls-ca-path "$CA" \
		--from alice@example.org --to bob@example.org --data "@$1" --suppress-data
}

msmtp_send() {
	tr -d '\r' <"$1" | in_client msmtp --host="$HOST" --port=25 --tls=on --tls-starttls=on \
		--tls-trust-file="$CA" --auth=off --from=alice@example.org \
		--domain=client.example.org bob@example.org
}

smtplib_send() {
	in_client /usr/bin/python3 - "$HOST" "$1" "$CA" <<-'END'
		import smtplib, ssl, sys
		host, path, ca = sys.argv[1:]
		with smtplib.SMTP(host, local_hostname="client.example.org") as s:
		    s.starttls(context=ssl.create_default_context(cafile=ca))
		    s.sendmail("alice@example.org", ["bob@example.org"], open(path, "rb").read())
	END
}

nodemailer_send() {
	ip netns exec client chroot "$PEERS" /usr/bin/node - "$SERVER4" "$HOST" "$1" "$CA" <<-'END'
		const fs = require("fs");
		// by address: it would ask a name server, not /etc/hosts
		const [host, servername, path, ca] = process.argv.slice(2);
		require("nodemailer").createTransport({
			host, port: 25, requireTLS: true, tls: { servername, ca: fs.readFileSync(ca) },
		}).sendMail({
			envelope: { from: "alice@example.org", to: "bob@example.org" },
			raw: fs.readFileSync(path),
		}, (err, info) => {
			console.log(err ? err.message : info.response);
			process.exit(err ? 1 : 0);
		});
	END
}

# talk FILE CMD...: the SMTP dialogue over what CMD makes of its stdin and stdout.
talk() {
	in_client /usr/bin/python3 - "$@" <<-'END'
		import re, subprocess, sys
		path, argv = sys.argv[1], sys.argv[2:]
		p = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
		                     stderr=subprocess.STDOUT)
		def await_line(pattern):
		    for line in p.stdout:
		        sys.stdout.buffer.write(line)
		        if re.match(pattern, line):
		            return line
		    sys.exit("no %r" % pattern)
		def say(data, pattern):
		    p.stdin.write(data)
		    p.stdin.flush()
		    return await_line(pattern)
		# the tool may have shown us replies from before TLS
		say(b"EHLO client.example.org\r\n", rb"250-")
		await_line(rb"250 ")
		say(b"MAIL FROM:<alice@example.org>\r\n", rb"250 ")
		say(b"RCPT TO:<bob@example.org>\r\n", rb"250 ")
		say(b"DATA\r\n", rb"354 ")
		body = re.sub(rb"(?m)^\.", b"..", open(path, "rb").read())
		reply = say(body + b".\r\n", rb"\d{3} ")
		say(b"quit\r\n", rb"221 ")
		p.stdin.close()
		sys.exit(not reply.startswith(b"250"))
	END
}

openssl_send() {
	talk "$1" openssl s_client -connect "$HOST:25" -starttls smtp -quiet -CAfile "$CA" \
		-verify_return_error -verify_hostname "$HOST" -servername "$HOST"
}

gnutls_send() {
	talk "$1" chroot "$PEERS" /usr/bin/gnutls-cli --port 25 --starttls-proto=smtp --x509cafile "$CA" "$HOST"
}

# Postfix as a client: a relay in "client" that takes mail on its loopback, and
# whose smtp(8) insists on a server that it can verify.
RELAY=$WORK/relay
start_relay() {
	make_instance "$RELAY"
	cat >"$RELAY/etc/main.cf" <<-END
		compatibility_level = 3.6
		queue_directory = $RELAY/spool
		data_directory = $RELAY/data
		maillog_file = $WORK/relay.log
		maillog_file_prefixes = $WORK
		myhostname = client.example.org
		inet_interfaces = 127.0.0.1
		inet_protocols = ipv4
		mydestination =
		alias_maps =
		mynetworks = 127.0.0.0/8
		relayhost = [$HOST]:25
		smtp_host_lookup = native
		smtp_tls_security_level = verify
		smtp_tls_CAfile = $CA
		smtp_tls_loglevel = 1
		notify_classes =
		bounce_queue_lifetime = 0
	END
	grep -vE '^(submission|smtps|virtual)' <<<"$(postfix_master)" |
		sed 's/^smtp  *inet/10025 inet/' >"$RELAY/etc/master.cf"
	cat >>"$RELAY/etc/master.cf" <<-END
		smtp       unix - - n - - smtp
		discard    unix - - n - - discard
	END
	start_instance "$RELAY" client 10025
}

stop_relay() { stop_instance "$RELAY"; }

relayed() { grep -E "$1: .*status=(sent|bounced|deferred)" "$WORK/relay.log"; }

# Its exit status and output tell what smtp(8) made of the mail.
postfix_send() {
	local out id
	# no sender, so that nobody has to be told of a mail that is refused
	out=$(in_client swaks --server 127.0.0.1:10025 --from '<>' --to bob@example.org \
		--data "@$1" --suppress-data) || { echo "$out"; return 1; }
	id=$(sed -n 's/.*queued as \([0-9A-Za-z]*\).*/\1/p' <<<"$out")
	wait_for relayed "$id"
	grep -q "Verified TLS connection established to $HOST" "$WORK/relay.log" || return
	grep -q "$id: .*status=sent" "$WORK/relay.log"
}

# --- what is tested --------------------------------------------------------

# arrives CLIENT [PORT]: a clean mail of the client's arrives unchanged.
arrives() {
	local what="$1 to $SERVER, TLS $VERSION${2:+, port $2}: a clean mail arrives" before out status=0
	SESSIONS=$((SESSIONS + 1))
	before=$(delivered)
	out=$("$1_send" "$WORK/clean" "${@:2}" 2>&1) || status=$?
	if ((status)) || ! await_delivered $((before + 1)); then
		not_ok "$what"
		diag "status $status"$'\n'"$out"$'\n'"$(server_log)"
	else
		is "$(body "$(inbox | head -n 1)" | hash_of)" "$CLEAN" "$what"
	fi
	inbox | xargs -r rm -f
}

# refused CLIENT: an infected mail of the client's is refused, by the virus's name.
refused() {
	local what="$1 to $SERVER, TLS $VERSION: an infected mail is refused" out status=0
	SESSIONS=$((SESSIONS + 1))
	out=$("$1_send" "$WORK/infected" 2>&1) || status=$?
	[[ $1 != postfix ]] || out+=$(tail -n 5 "$WORK/relay.log")
	if ((status)) && [[ $out == *554* && $out == *eicar.com* && $out == *Eicar-Test-Signature* ]]; then
		ok "$what"
	else
		not_ok "$what"
		diag "status $status"$'\n'"$out"$'\n'"$(server_log)"
	fi
}

make_mails() {
	{ header; head -c 60000 /dev/urandom | base64 | sed 's/$/\r/'; printf '.\r\n..dots\r\n'; } >"$WORK/clean"
	CLEAN=$(body "$WORK/clean" | hash_of)
	infected_mail >"$WORK/infected"
}

CLIENTS=(msmtp smtplib postfix nodemailer openssl gnutls)

plan $((3 * 2 * 3 + 3 * 3 + 3 * ${#CLIENTS[@]} + 2))
lab up || bail_out "no lab"
trap finish_up EXIT
mkdir -p "$WORK" "$LAB_RUN/inbox"
chown nobody "$LAB_RUN/inbox"
install -o nobody -m 600 "$LAB_RUN"/server.{pem,key} "$WORK"
make_mails
enter_root
start_relay

for server in postfix exim opensmtpd; do
	for version in 1.2 1.3; do
		start_server $server $version
		arrives swaks
		arrives swaks 465
		refused swaks
		arrives exim
		[[ $version == 1.2 ]] || refused exim
		if [[ $server == postfix ]]; then
			for client in "${CLIENTS[@]}"; do
				arrives "$client"
				[[ $version == 1.2 ]] || refused "$client"
			done
		fi
		stop_server
	done
done
is "$(counter handshakes)" $SESSIONS "each of the sessions was inspected"
is "$(counter handshake-failed)" 0 "and none of them failed"
finish
