# Principals, routes, rules and flows; part of libtund_core.a.
libtund_core_a_SOURCES +=
