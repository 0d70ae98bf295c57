# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0
#
# What the scripts share: where things are, how to install packages, and how
# to run something inside the cached Debian 13 root (see scripts/root).
# Sourced, never run.

REPO=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
CACHE=${SMTPSPLICE_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/smtpsplice}
ROOT=$CACHE/trixie
export DEBIAN_FRONTEND=noninteractive LC_ALL=C.UTF-8

say() { printf '%s: %s\n' "${0##*/}" "$*" >&2; }
die() { say "$*"; exit 2; }

need_root() { [[ $EUID -eq 0 ]] || die "must be run as root"; }

# lock NAME WHAT: one process at a time does WHAT. The lock goes with the shell
# that took it and with the children that it starts meanwhile.
lock() {
	mkdir -p "$CACHE"
	exec {LOCK_FD}>"$CACHE/$1.lock"
	if ! flock -n "$LOCK_FD"; then
		say "waiting for another process to finish $2"
		flock "$LOCK_FD"
	fi
}
unlock() { exec {LOCK_FD}>&-; }

# missing_packages NAME...: those that are not installed.
missing_packages() {
	local have
	have=$(dpkg-query -W -f '${db:Status-Status} ${Package}\n' "$@" 2>/dev/null || true)
	for p in "$@"; do
		grep -qx "installed $p" <<<"$have" || echo "$p"
	done
}

# Package lists that are absent (a fresh container) or empty.
have_package_lists() { apt-cache show bash >/dev/null 2>&1 && compgen -G '/var/lib/apt/lists/*Packages*' >/dev/null; }

apt_install() {
	apt-get -qq -y -o Dpkg::Use-Pty=0 --no-install-recommends install "$@" </dev/null >&2
}

# need_packages NAME...: install what is missing, and say so. No service may
# start on the host because of it: the daemons are for inside the VM.
need_packages() {
	local missing policy=/usr/sbin/policy-rc.d made=
	mapfile -t missing < <(missing_packages "$@")
	((${#missing[@]})) || return 0
	need_root
	say "installing with apt: ${missing[*]}"
	have_package_lists || apt-get -q update >&2
	if [[ ! -e $policy ]]; then
		printf '#!/bin/sh\nexit 101\n' >"$policy"
		chmod 755 "$policy"
		made=1
	fi
	local status=0
	# A second time with newer lists: the old ones may name files that are gone.
	apt_install "${missing[@]}" || { apt-get -q update >&2 && apt_install "${missing[@]}"; } || status=$?
	[[ -z $made ]] || rm -f "$policy"
	((status == 0)) || die "apt could not install: ${missing[*]}"
}

# in_root CMD...: run CMD as root in the Debian 13 root, in the directory
# ROOT_CWD (default /). The repository is there under its own path, so that
# compiler messages name files that exist, and the cache's kernels under
# /kernels. The mounts live in a private mount namespace and the processes in a
# private pid namespace, so nothing stays behind, whatever ends this.
in_root() {
	mkdir -p "$CACHE/kernels" "$ROOT/kernels"
	# Shared: scripts/root removes the root only when nobody is in it.
	# The $variables are for the inner shell.
	# shellcheck disable=SC2016
	flock --shared "$CACHE/root.use" \
		unshare --mount --pid --fork --kill-child --mount-proc="$ROOT/proc" \
		sh -ec 'root=$1 repo=$2 kernels=$3 cwd=$4; shift 4
			mount --rbind /dev "$root/dev"
			mount -t sysfs -o ro sysfs "$root/sys" 2>/dev/null || :
			mount -t tmpfs tmpfs "$root/tmp"
			mount --bind "$kernels" "$root/kernels"
			mkdir -p "$root$repo"
			mount --bind "$repo" "$root$repo"
			[ ! -e /etc/resolv.conf ] || { : >>"$root/etc/resolv.conf"; mount --bind /etc/resolv.conf "$root/etc/resolv.conf"; }
			exec chroot "$root" /usr/bin/env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin \
				HOME=/root LC_ALL=C.UTF-8 DEBIAN_FRONTEND=noninteractive TERM="${TERM:-dumb}" \
				sh -c "cd \"\$0\" && exec \"\$@\"" "$cwd" "$@"' \
		sh "$ROOT" "$REPO" "$CACHE/kernels" "${ROOT_CWD:-/}" "$@"
}
