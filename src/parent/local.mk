# libtund_parent.a: the parent, the only process that stays root; linked into sbin/tund with src/cmd.
noinst_LIBRARIES += libtund_parent.a
libtund_parent_a_SOURCES = \
	src/parent/child.h src/parent/child.c \
	src/parent/environ.h src/parent/environ.c \
	src/parent/journal.h src/parent/journal.c \
	include/tund/parent/loader.h src/parent/loader.c \
	src/parent/logger.h src/parent/logger.c \
	src/parent/pace.h src/parent/pace.c \
	include/tund/parent/parent.h src/parent/parent.c src/parent/parent_state.h \
		src/parent/parent_hand.h src/parent/parent_hand.c \
		src/parent/parent_interface.h src/parent/parent_interface.c \
		src/parent/parent_reload.h src/parent/parent_reload.c \
	src/parent/queues.h src/parent/queues.c \
	src/parent/reload.h src/parent/reload.c \
	src/parent/requests.h src/parent/requests.c \
	src/parent/store.h src/parent/store.c \
	src/parent/supervisor.h src/parent/supervisor.c src/parent/supervisor_start.c \
		src/parent/supervisor_children.h src/parent/supervisor_children.c \
	src/parent/system.h src/parent/system.c src/parent/system_forward.c \
		src/parent/system_network.c \
	include/tund/parent/tunnel.h src/parent/tunnel.c \
	include/tund/parent/undo.h src/parent/undo.c \
	src/parent/verify.h src/parent/verify.c \
	src/parent/wgsock.h src/parent/wgsock.c \
	include/tund/parent/wireguard.h src/parent/wireguard.c src/parent/wireguard_state.h \
		src/parent/wireguard_device.h src/parent/wireguard_device.c \
		src/parent/wireguard_requests.h src/parent/wireguard_requests.c
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
