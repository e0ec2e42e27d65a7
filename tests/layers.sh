#!/bin/sh
# SPDX-License-Identifier: ISC
# The architecture, verified: which layer may include which, in what order the modules of a layer
# stand, that no files call each other in a circle, who may use which library, that the core touches
# neither the system nor a global, that headers, sources and tests mirror each other, and that no
# function is longer than 80 lines. doc/principles.md says why. TAP.
set -u
cd "${TUND_SRCDIR:-$(dirname "$0")/..}" || exit 1
build=${TUND_BUILDDIR:-.}
nm=${NM:-nm}
core=$build/libtund_core.a

sources=$(find src include tests -name '*.[ch]' | LC_ALL=C sort)
product=$(echo "$sources" | grep -v '^tests/')
count=0
scratch=$(mktemp -d "${TMPDIR:-/tmp}/tund-layers.XXXXXX") || exit 1
trap 'rm -rf "$scratch"' EXIT
trap 'exit 130' INT TERM HUP

# verify FUNCTION NAME: one TAP line; whatever FUNCTION prints is what is wrong.
verify()
{
	count=$((count + 1))
	wrong=$("$1")
	if [ -z "$wrong" ]; then
		echo "ok $count - $2"
	else
		echo "$wrong" | sed 's/^/# /'
		echo "not ok $count - $2"
	fi
}

# Every include of the product: FILE LAYER WHAT, where WHAT keeps its <> or "".
includes()
{
	# shellcheck disable=SC2086
	awk 'match($0, /^[ \t]*#[ \t]*include[ \t]*/) {
		what = substr($0, RLENGTH + 1)
		sub(/[ \t].*/, "", what)
		n = split(FILENAME, part, "/")
		print FILENAME, part[1] == "include" ? part[3] : part[2], what
	}' $product
}

# A layer, and those to its left; itself is always allowed.
arrows()
{
	includes | awk '
	BEGIN {
		left["base"] = ""
		left["wire"] = left["crypto"] = left["sys"] = "base"
		left["session"] = "base wire crypto"
		left["policy"] = "base wire"
		left["config"] = "base wire policy"
		left["ipc"] = "base wire"
		left["worker"] = "base sys"
		left["transport"] = "base wire crypto session sys worker"
		left["link"] = "base wire sys ipc"
		left["loader"] = "base wire crypto policy config sys ipc"
		left["control"] = left["parent"] = \
			"base wire crypto session policy config sys ipc link"
		left["engine"] = left["control"] " worker transport"
		left["cmd"] = left["control"] " parent"
	}
	!($2 in left) { print $1 ": there is no layer \"" $2 "\""; next }
	$3 ~ /^<tund\// {
		split($3, part, "/")
		if (part[2] != $2 && index(" " left[$2] " ", " " part[2] " ") == 0)
			print $1 ": " $2 " must not include " $3
	}
	$3 ~ /^"/ {
		name = $3
		gsub(/"/, "", name)
		if ($1 !~ /^src\// || name ~ /\// || system("test -f src/" $2 "/" name) != 0)
			print $1 ": " $3 " is no private header beside it"
	}'
}

# The newest object of each source: SOURCE OBJECT.
objects()
{
	find "$build/src" -name '*.o' -print0 | xargs -0 ls -t | while read -r object; do
		source=$(basename "$object" .o)
		source=src/$(basename "$(dirname "$object")")/${source##*-}.c
		[ ! -f "$source" ] || echo "$source $object"
	done | awk '!($1 in seen) { seen[$1] = 1; print }'
}

# What sources need of others of their layer, by what nm says of the objects: SOURCE SOURCE SYMBOL.
needs()
{
	objects >"$scratch/objects"
	# shellcheck disable=SC2046
	"$nm" -A -P $(cut -d ' ' -f 2 "$scratch/objects") | awk '
	FILENAME != "-" { source[$2] = $1; next }
	{
		sub(/:$/, "", $1)
		file = source[$1]
		split(file, part, "/")
		if ($3 == "U")
			wants[++n] = file " " part[2] SUBSEP $2
		else if ($3 ~ /^[A-Z]$/)
			has[part[2], $2] = file
	}
	END {
		for (i = 1; i <= n; i++) {
			split(wants[i], want, " ")
			split(want[2], symbol, SUBSEP)
			if (want[2] in has && has[want[2]] != want[1])
				print want[1], has[want[2]], symbol[2]
		}
	}' "$scratch/objects" -
}

# The modules of a layer, from bottom to top, as tests/order has them: an include, and what a source
# needs of another, may only point down. A file belongs to the longest name there that begins its
# own; a header may have a place below its source.
order()
{
	{
		sed 's/#.*//' tests/order | awk '{
			for (i = 1; i <= NF; i++)
				if ($i ~ /:$/)
					layer = substr($i, 1, length($i) - 1)
				else
					print "place", layer, $i
		}'
		echo "$product" | sed 's/^/file /'
		includes | sed 's/^/include /'
		sed 's/^/need /' "$scratch/needs"
	} | awk '
	function layer_of(path,    part, n) {
		n = split(path, part, "/")
		return part[n - 1]
	}
	function name_of(layer, path,    name) {
		name = path
		sub(/.*[\/<"]/, "", name)
		sub(/[>"]$/, "", name)
		if ((layer, name) in place)
			return name
		sub(/[.][ch]$/, "", name)
		while (!((layer, name) in place) && sub(/_[^_]*$/, "", name))
			continue
		return (layer, name) in place ? name : ""
	}
	function points(layer, from, to, what) {
		from = name_of(layer, from)
		to = name_of(layer, to)
		if (from != "" && to != "" && place[layer, to] > place[layer, from])
			print what ", but " to " stands above " from
	}
	$1 == "place" {
		if (($2, $3) in place)
			print "tests/order: " $2 " has " $3 " twice"
		place[$2, $3] = ++places
		listed[$2] = 1
	}
	$1 == "file" {
		layer = layer_of($2)
		used[layer, name_of(layer, $2)] = 1
		if (layer in listed && name_of(layer, $2) == "")
			print $2 ": tests/order has no place for it in " layer
	}
	$1 == "include" && $3 in listed && ($4 ~ /^"/ || index($4, "<tund/" $3 "/") == 1) {
		points($3, $2, $4, $2 ": includes " $4)
	}
	$1 == "need" && layer_of($2) in listed {
		points(layer_of($2), $2, $3, $2 ": needs " $4 "() of " $3)
	}
	END {
		for (key in place) {
			split(key, part, SUBSEP)
			if (!(key in used))
				print "tests/order: there is no " part[2] " in " part[1]
		}
	}'
}

# Files of a layer that need each other, in a circle of any length: each circle, and what ties it.
circles()
{
	[ -s "$scratch/needs" ] || echo "$build: nothing is built there"
	awk '
	{
		tie[$1, $2] = tie[$1, $2] " " $3
		way[$1, $2] = node[$1] = node[$2] = 1
	}
	END {
		for (via in node)
			for (a in node)
				if ((a, via) in way)
					for (b in node)
						if ((via, b) in way)
							way[a, b] = 1
		for (a in node)
			if ((a, a) in way && !(a in told))
				tell(a)
	}
	function tell(a,    b, c, files, circle) {
		for (b in node)
			if ((a, b) in way && (b, a) in way) {
				told[b] = circle[b] = 1
				files = files " " b
			}
		print "circle:" files
		for (b in circle)
			for (c in circle)
				if ((b, c) in tie)
					print "  " b " needs of " c ":" tie[b, c]
	}' "$scratch/needs"
}

# Libraries, and the one place for each.
libraries()
{
	includes | awk '
	function only(pattern, place) {
		if ($3 ~ pattern && $1 !~ place)
			print $1 ": " $3 " belongs to " place
	}
	{
		only("^<ev[.]h>", "^((src|include/tund)/(engine|control|worker|transport)/|(src|include/tund)/link/link_ev[.])")
		only("^<(sodium|openssl/|intel-ipsec-mb|ipsec-mb)", "^src/crypto/")
		only("^<netlink/", "^src/sys/netlink[^/]*[.]c$")
		only("^<(seccomp|cap-ng)[.]h>", "^src/sys/")
		only("^<confuse[.]h>", "^src/config/")
		only("^<qrencode[.]h>", "^src/loader/")
		only("^<jansson[.]h>", "^src/(control|cmd)/")
	}'
}

# FILE is part of the module MODULE of its layer: MODULE.c, or MODULE_something.c. Prints MODULE.
module_of()
{
	layer=$(basename "$(dirname "$1")")
	module=$(basename "$1" .c)
	while [ ! -f "include/tund/$layer/$module.h" ] && [ ! -f "src/$layer/$module.h" ]; do
		case $module in
		*_*) module=${module%_*} ;;
		*) return 1 ;;
		esac
	done
	echo "$module"
}

# True if a header declares a function that a source must define.
declares()
{
	grep -Eq '^[a-z][A-Za-z0-9_ *]*[ *][a-z][a-z0-9_]*\(' "$1" &&
		grep -E '^[a-z][A-Za-z0-9_ *]*[ *][a-z][a-z0-9_]*\(' "$1" | grep -Evq '^(static|typedef)'
}

mirror_sources()
{
	for file in $(echo "$product" | grep '^src/.*\.c$' | grep -Ev '/main(_[a-z]+)?\.c$'); do
		module_of "$file" >/dev/null || echo "$file: no header of its name declares it"
	done
	for file in $(echo "$product" | grep '\.h$'); do
		layer=$(basename "$(dirname "$file")")
		module=$(basename "$file" .h)
		# What parts of a module share is defined in those.
		case $file in
		src/*_*) ! (module_of "${file%_*}.c") >/dev/null || continue ;;
		esac
		if declares "$file" && [ ! -f "src/$layer/$module.c" ]; then
			echo "$file: no src/$layer/$module.c"
		fi
	done
}

# The sans-I/O layers, the configuration and link have a unit test for each module; every unit test has
# its module. (Tests that go through several modules have another name.)
mirror_tests()
{
	for file in $(echo "$product" |
		grep -E '^src/(base|wire|crypto|session|policy|config|link)/.*\.c$' | grep -Ev '/main(_[a-z]+)?\.c$'); do
		module=$(basename "$file" .c)
		while [ ! -f "tests/unit/check_$module.c" ]; do
			case $module in
			*_*) module=${module%_*} ;;
			*) break ;;
			esac
		done
		[ -f "tests/unit/check_$module.c" ] || echo "$file: no tests/unit/check_$module.c"
	done
	for file in tests/unit/check_*.c; do
		module=${file#tests/unit/check_}
		set -- include/tund/*/"${module%.c}.h" src/*/"${module%.c}.h"
		[ -f "$1" ] || [ -f "$2" ] || echo "$file: no header ${module%.c}.h in any layer"
	done
}

# A header in include/tund is what its layer offers: some other layer includes it, or a header that
# some other layer does.
offered()
{
	includes | awk '
	$3 ~ /^<tund\// {
		what = substr($3, 2, length($3) - 2)
		split(what, part, "/")
		if (part[2] != $2)
			used[what] = 1
		else if ($1 ~ /^include\//)
			from[what] = from[what] " " substr($1, 9)
	}
	$1 ~ /^include\// { header[substr($1, 9)] = 1 }
	END {
		do {
			more = 0
			for (h in from) {
				n = split(from[h], by, " ")
				for (i = 1; !(h in used) && i <= n; i++)
					if (by[i] in used)
						used[h] = more = 1
			}
		} while (more)
		for (h in header)
			if (!(h in used))
				print "include/" h ": no other layer needs it"
	}' | LC_ALL=C sort
}

# The first include of a source is its own header, so that every header is complete by itself.
own_first()
{
	for file in $(echo "$product" | grep '^src/.*\.c$' | grep -Ev '/main(_[a-z]+)?\.c$'); do
		module=$(module_of "$file") || continue
		name=$(basename "$file" .c)
		layer=$(basename "$(dirname "$file")")
		own='<tund/'$layer/$module.h'>'
		[ ! -f "src/$layer/$module.h" ] || own='"'$module.h'"'
		while [ "$name" != "$module" ]; do
			[ ! -f "src/$layer/$name.h" ] || own='"'$name.h'"' module=$name
			name=${name%_*}
		done
		first=$(sed -n 's/^#include //p' "$file" | head -n 1)
		[ "$first" = "$own" ] || echo "$file: includes $first before its own $own"
	done
}

# A file that no makefile names is neither built nor distributed.
listed()
{
	for file in $sources; do
		case $file in
		tests/unit/check_*.c | tests/fuzz/fuzz_*.c | tests/bench/bench_*.c) file=${file%.c} ;;
		esac
		grep -Eqs -- "(^|[[:space:]=])$file([[:space:]]|\$)" Makefile.am src/*/local.mk \
			tests/*/local.mk || echo "$file: in no local.mk"
	done
}

# What the core calls: no descriptor, clock, randomness, output, process or environment. The one
# exception is rng_system(), which the shell hands to the core.
core_calls()
{
	"$nm" -A -u "$core" 2>&1 | awk '
	BEGIN {
		split("socket socketpair bind listen accept accept4 connect shutdown setsockopt getsockopt " \
			"send sendto sendmsg sendmmsg recv recvfrom recvmsg recvmmsg poll ppoll select " \
			"pselect epoll_create epoll_create1 epoll_ctl epoll_wait open openat creat close " \
			"read readv pread write writev pwrite ioctl fcntl stat fstat lstat unlink rename " \
			"mkdir fopen fdopen fclose fread fwrite fgets fputs fputc puts putchar putc printf " \
			"vprintf fprintf vfprintf dprintf perror stdin stdout stderr syslog vsyslog " \
			"clock_gettime clock_getres gettimeofday time times nanosleep clock_nanosleep usleep " \
			"sleep alarm timer_create timerfd_create localtime localtime_r gmtime gmtime_r " \
			"getrandom getentropy arc4random arc4random_buf arc4random_uniform rand rand_r random " \
			"srand srandom RAND_bytes RAND_priv_bytes randombytes randombytes_buf " \
			"randombytes_random randombytes_uniform fork vfork execv execve execvp system popen " \
			"kill raise signal sigaction pthread_create thrd_create getenv secure_getenv setenv " \
			"exit _exit syscall getaddrinfo gethostbyname getpid", list, " ")
		for (i in list)
			denied[list[i]] = 1
	}
	$(NF - 1) != "U" { if (/:$/ == 0 && NF) print; next }
	{
		name = $NF
		if (name ~ /^__.*_chk$/)
			name = substr(name, 3, length(name) - 6)
		sub(/64(_2)?$/, "", name)
		split($1, part, ":")
		if (part[2] ~ /random[.]o$/ && name == "randombytes_buf")
			next
		if (name in denied || name ~ /^ev_/)
			print part[2] ": calls " name
	}'
}

# What the core keeps between calls: nothing but constants. The exception is what ipsec-mb says of
# this CPU, asked once by crypto_init().
core_globals()
{
	"$nm" -A -f sysv "$core" 2>&1 | awk -F '|' '
	NF >= 7 && $NF ~ /^([.](data|bss|tdata|tbss)|[*]COM)/ && $NF !~ /^[.]data[.]rel[.]ro/ {
		split($1, part, ":")
		gsub(/ /, "", part[3])
		if (part[2] !~ /aead_ipsec_mb[.]o$/ && $4 !~ /SECTION/)
			print part[2] ": keeps " part[3]
	}'
}

# Prints FILE:LINE LENGTH of every function: a body is between braces at the start of a line.
functions()
{
	# shellcheck disable=SC2086
	awk '/^{/ { start = FNR - 1 }
	/^}[ \t]*$/ && start { print FILENAME ":" start, FNR - start + 1; start = 0 }' "$@"
}

# shellcheck disable=SC2086
long_functions()
{
	functions $sources | awk '$2 > 80 { print $1 ": " $2 " lines" }'
}

headings()
{
	for file in $sources; do
		[ "$(sed -n 1p "$file")" = '/* SPDX-License-Identifier: ISC */' ] ||
			echo "$file: does not start with its licence"
		case $file in
		include/*.h | src/*.h)
			guard=${file#src/}
			guard=tund/${guard#include/tund/}
			guard=$(echo "$guard" | tr 'a-z/.' 'A-Z__')
			grep -qx "#ifndef $guard" "$file" || echo "$file: its guard is not $guard"
			;;
		esac
	done
}

needs >"$scratch/needs"
verify arrows 'an include points to the left'
verify order 'what a file includes and needs of its layer stands below it'
verify circles 'no files call each other in a circle'
verify libraries 'each library is used in its one place'
verify offered 'a header in include/tund serves other layers'
verify own_first 'a source includes its own header first'
verify mirror_sources 'headers and sources mirror each other'
verify mirror_tests 'modules and unit tests mirror each other'
verify listed 'every file is in a local.mk'
verify core_calls 'the core calls nothing of the system'
verify core_globals 'the core has no global state'
verify long_functions 'no function is longer than 80 lines'
verify headings 'every file says its licence, every header its name'
# shellcheck disable=SC2086
functions $product | awk '{ print $2 }' | sort -n |
	awk '{ n[NR] = $1 } END { print "# " NR " functions, median " n[int((NR + 1) / 2)] \
		" lines, longest " n[NR] }'
echo "1..$count"
