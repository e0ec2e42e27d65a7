# The manual pages, in mdoc; tests/manuals.sh lints each of them.
dist_man_MANS += \
	man/tund-wg.8 \
	man/tund.8 \
	man/tund-policy.5 \
	man/tund-protocol.7 \
	man/tund.conf.5

# The complete files that the pages show; check_config parses them.
examplesdir = $(docdir)/examples
dist_examples_DATA = \
	doc/examples/client.conf \
	doc/examples/connector.conf \
	doc/examples/connector.policy \
	doc/examples/edge.conf \
	doc/examples/edge.policy
