# Tests of the whole in network namespaces of their own; each speaks TAP and needs root. Add a
# test to SYSTEM_TESTS, and what the tests source or read to EXTRA_DIST.
SYSTEM_TESTS =
EXTRA_DIST += $(SYSTEM_TESTS)
