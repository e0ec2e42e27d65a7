# The session protocol on a simulated network: what a test of it links besides the core.
LANE_SOURCES = tests/sim/by_lane.c tests/sim/by_lane.h
SIM_SOURCES = tests/sim/network.c tests/sim/network.h $(LANE_SOURCES)
PAIR_SOURCES = $(SIM_SOURCES) tests/sim/pair.c tests/sim/pair.h
