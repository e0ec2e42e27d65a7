# Messages and packets as they are on the wire; part of libtund_core.a.
libtund_core_a_SOURCES +=
