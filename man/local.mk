# The manual pages, in mdoc; tests/manuals.sh lints each of them.
dist_man_MANS +=
