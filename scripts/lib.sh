# SPDX-License-Identifier: ISC
# shellcheck shell=sh disable=SC2154 # $root is the caller's
# What scripts/test and scripts/demo share: messages, packages, and a configured build. Sourced,
# with $root set to the top of the source tree.

say()
{
	printf '==> %s\n' "$*" >&2
}

die()
{
	printf '%s: %s\n' "${0##*/}" "$*" >&2
	exit 1
}

# as_root COMMAND...: by sudo where we are somebody else. Assignments go through env(1).
as_root()
{
	if [ "$(id -u)" -eq 0 ]; then
		"$@"
	else
		sudo "$@"
	fi
}

# The packages of scripts/packages for the purposes given, for this machine's architecture.
packages_of()
{
	awk -v purposes="$*" -v arch="$(dpkg --print-architecture)" '
	/^[a-z]/ && index(" " purposes " ", " " $1 " ") && (NF < 3 || $3 == arch) { print $2 }' \
		"$root/scripts/packages" | LC_ALL=C sort -u
}

is_installed()
{
	[ "$(dpkg-query -W -f='${db:Status-Status}' "$1" 2>/dev/null)" = installed ]
}

# Runs apt-get with no daemon started: a policy of our own, unless the machine has one.
apt_get_quietly()
{
	# shellcheck disable=SC2016
	as_root env DEBIAN_FRONTEND=noninteractive sh -c '
		policy=/usr/sbin/policy-rc.d
		if [ ! -e $policy ]; then
			trap "rm -f $policy" EXIT
			trap "exit 130" INT TERM
			printf "#!/bin/sh\nexit 101\n" >$policy
			chmod 755 $policy
		fi
		apt-get -qq -o Dpkg::Use-Pty=0 "$@" >&2' apt-get "$@"
}

# packages_install PURPOSE...: installs what is missing, and leaves no service of it enabled.
packages_install()
{
	command -v dpkg-query >/dev/null || die "this is no Debian; install by hand what scripts/packages lists"
	missing=
	for package in $(packages_of "$@"); do
		is_installed "$package" || missing="$missing $package"
	done
	[ -n "$missing" ] || return 0
	if [ "$(id -u)" -ne 0 ] && ! command -v sudo >/dev/null; then
		die "run it as root, or install sudo or these packages:$missing"
	fi
	say "installing$missing"
	apt_get_quietly update || die 'apt-get update failed: see above'
	# shellcheck disable=SC2086
	apt_get_quietly install --no-install-recommends $missing ||
		die 'apt-get install failed: see above'
	# The user asked for no web server: it must not start with the machine.
	case " $missing " in
	*' nginx '*)
		as_root update-rc.d nginx disable || true
		;;
	esac
}

# build_configured FOLDER ARGUMENT...: configures FOLDER below the source tree with these arguments
# of ./configure, unless it was already so. make does the rest.
build_configured()
{
	folder=$root/$1
	shift
	if [ -e "$root/config.status" ]; then
		die "the source tree itself is configured: run 'make distclean' in it first"
	fi
	if [ ! -x "$root/configure" ]; then
		say 'autogen.sh'
		"$root/autogen.sh" >"$root/autogen.log" 2>&1 || {
			cat "$root/autogen.log" >&2
			die 'autogen.sh failed'
		}
	fi
	mkdir -p "$folder"
	if [ -x "$folder/config.status" ] && [ "$*" = "$(cat "$folder/configured-with" 2>/dev/null)" ]; then
		return 0
	fi
	say "configure $*"
	(cd "$folder" && "$root/configure" -q "$@" >configure.log 2>&1) || {
		tail -n 20 "$folder/configure.log" >&2
		die "configure failed; the whole log is $folder/config.log"
	}
	echo "$*" >"$folder/configured-with"
}
