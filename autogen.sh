#!/bin/sh
# Makes ./configure from a checkout; needs autoconf, automake and pkg-config.
set -e
cd "$(dirname "$0")"
exec autoreconf --install --force
