# SPDX-License-Identifier: ISC
# shellcheck shell=sh disable=SC2154 # $build is the caller's
# Debian's wireguard-go, the other implementation that tund is tested with, unpacked below $build:
# the package of the release ("bookworm") and, with the offloads, of its backports. apt-get gets a
# sources list and list folder of its own; the machine's own stay as they are. Sourced.

# The mirror that the machine itself uses.
wireguard_go_mirror()
{
	apt-get indextargets --format '$(SITE) $(RELEASE)' 'Created-By: Packages' 2>/dev/null |
		awk '$2 == "bookworm" { print $1; exit }'
}

wireguard_go_apt()
{
	apt-get -qq -o Dir::Etc::SourceList="$wireguard_go_dir/sources.list" \
		-o Dir::Etc::SourceParts=/dev/null -o Dir::State::Lists="$wireguard_go_dir/lists" \
		-o Dir::Cache::pkgcache= -o Dir::Cache::srcpkgcache= \
		-o APT::Sandbox::User=root -o Acquire::Languages=none "$@" >&2
}

# wireguard_go SUITE: makes sure of the package of that suite, and prints the program's path.
# Needs the network, and no root; call it before the namespaces are made.
wireguard_go()
{
	wireguard_go_dir=$build/wireguard-go/$1
	wireguard_go_program=$wireguard_go_dir/root/usr/bin/wireguard-go
	if [ ! -x "$wireguard_go_program" ]; then
		wireguard_go_from=$(wireguard_go_mirror)
		[ -n "$wireguard_go_from" ] || return 1
		rm -rf "$wireguard_go_dir"
		mkdir -p "$wireguard_go_dir/lists/partial"
		echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $wireguard_go_from $1 main" \
			>"$wireguard_go_dir/sources.list"
		wireguard_go_apt update &&
			(cd "$wireguard_go_dir" && wireguard_go_apt download wireguard-go) &&
			dpkg -x "$wireguard_go_dir"/wireguard-go_*.deb "$wireguard_go_dir/root" || return 1
		rm -rf "$wireguard_go_dir/lists"
	fi
	echo "$wireguard_go_program"
}
