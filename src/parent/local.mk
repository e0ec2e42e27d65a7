# libtund_parent.a: the parent, the only process that stays root; linked into sbin/tund with src/cmd.
noinst_LIBRARIES += libtund_parent.a
libtund_parent_a_SOURCES = \
	include/tund/parent/child.h src/parent/child.c \
	src/parent/environ.h src/parent/environ.c \
	include/tund/parent/system.h src/parent/system.c src/parent/system_forward.c \
		src/parent/system_network.c \
	include/tund/parent/journal.h src/parent/journal.c \
	include/tund/parent/loader.h src/parent/loader.c \
	include/tund/parent/logger.h src/parent/logger.c \
	include/tund/parent/pace.h src/parent/pace.c \
	include/tund/parent/parent.h src/parent/parent.c \
	include/tund/parent/queues.h src/parent/queues.c \
	src/parent/requests.h src/parent/requests.c \
	include/tund/parent/store.h src/parent/store.c \
	include/tund/parent/tunnel.h src/parent/tunnel.c \
	include/tund/parent/undo.h src/parent/undo.c \
	include/tund/parent/verify.h src/parent/verify.c \
	include/tund/parent/wgsock.h src/parent/wgsock.c \
	include/tund/parent/wireguard.h src/parent/wireguard.c src/parent/wireguard_device.c \
		src/parent/wireguard_requests.c src/parent/wireguard_state.h
PARENT_LIBS = libtund_parent.a libtund_link.a libtund_sys.a libtund_config.a $(CORE_LIBS) $(NL_LIBS) $(SECCOMP_LIBS) $(CAPNG_LIBS)

# What systemd needs to start it.
systemdsystemunit_DATA = src/parent/tund@.service
dist_sysusers_DATA = src/parent/sysusers.d/tund.conf
tmpfiles_DATA = src/parent/tmpfiles.d/tund.conf
CLEANFILES += $(systemdsystemunit_DATA) $(tmpfiles_DATA)
EXTRA_DIST += src/parent/tund@.service.in src/parent/tmpfiles.d/tund.conf.in

SUBSTITUTE = $(AM_V_GEN)$(MKDIR_P) $(@D) && $(SED) \
	-e 's|@sbindir[@]|$(sbindir)|g' \
	-e 's|@statedir[@]|$(localstatedir)/lib/tund|g' \
	-e 's|@rundir[@]|$(runstatedir)/tund|g' <$< >$@.tmp && mv $@.tmp $@
src/parent/tund@.service: src/parent/tund@.service.in Makefile
	$(SUBSTITUTE)
src/parent/tmpfiles.d/tund.conf: src/parent/tmpfiles.d/tund.conf.in Makefile
	$(SUBSTITUTE)
