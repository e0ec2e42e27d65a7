#!/bin/sh
# SPDX-License-Identifier: ISC
# Lints every manual page in man/ with mandoc. TAP.
set -u
cd "${TUND_SRCDIR:-$(dirname "$0")/..}" || exit 1

set -- man/*.[1-9]
if [ ! -e "$1" ]; then
	echo '1..0 # SKIP there is no manual page yet'
	exit
elif ! command -v mandoc >/dev/null; then
	echo '1..0 # SKIP mandoc is not installed'
	exit
fi
echo "1..$#"
n=0
for page; do
	n=$((n + 1))
	if out=$(mandoc -T lint -W warning "$page" 2>&1); then
		echo "ok $n - $page"
	else
		echo "$out" | sed 's/^/# /'
		echo "not ok $n - $page"
	fi
done
