# Handshakes, keypairs, timers, paths and control frames; part of libtund_core.a.
libtund_core_a_SOURCES +=
