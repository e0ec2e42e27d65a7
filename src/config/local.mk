# libtund_config.a: the configuration, parsed, checked, and as the bytes that engine and control
# read. The program libexec/tund/config, the sandboxed parser, is pkglibexec_PROGRAMS
# src/config/config and links $(CONFIG_LIBS); nothing else needs libconfuse.
noinst_LIBRARIES += libtund_config.a
libtund_config_a_CFLAGS = $(AM_CFLAGS) $(CONFUSE_CFLAGS)
CONFIG_LIBS = libtund_config.a libtund_sys.a $(CORE_LIBS) $(CONFUSE_LIBS) $(SECCOMP_LIBS) \
	$(CAPNG_LIBS)

libtund_config_a_SOURCES =
