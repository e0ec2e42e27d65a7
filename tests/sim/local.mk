# The session protocol on a simulated network: what a test of it links besides the core.
SIM_SOURCES = tests/sim/network.c tests/sim/network.h
PAIR_SOURCES = $(SIM_SOURCES) tests/sim/pair.c tests/sim/pair.h
