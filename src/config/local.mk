# libtund_config.a: the configuration, parsed, checked, and as the bytes that engine and control
# read. Only the loader and tests call config_parse(), and link libconfuse with it.
noinst_LIBRARIES += libtund_config.a
libtund_config_a_CFLAGS = $(AM_CFLAGS) $(CONFUSE_CFLAGS)
CONFIG_LIBS = libtund_config.a libtund_sys.a $(CORE_LIBS) $(CONFUSE_LIBS) $(SECCOMP_LIBS) \
	$(CAPNG_LIBS)

libtund_config_a_SOURCES = \
	include/tund/config/config.h \
	src/config/config.c \
	src/config/config_check.c src/config/config_check.h \
	src/config/config_codec.c \
	src/config/config_conf.c src/config/config_conf.h \
	src/config/config_conf_kind.c src/config/config_conf_kind.h \
	src/config/config_diag.c src/config/config_diag.h \
	src/config/config_kind.c src/config/config_kind.h \
	src/config/config_kind_net.c src/config/config_kind_net.h \
	src/config/config_option.h \
	src/config/config_options.c src/config/config_options.h \
	src/config/config_parse.c \
	src/config/config_policy.c src/config/config_policy.h \
	src/config/config_scan.c src/config/config_scan.h \
	src/config/config_scan_read.c \
	src/config/config_token.c src/config/config_token.h \
	src/config/config_tree.c src/config/config_tree.h \
	src/config/config_value.c src/config/config_value.h \
	src/config/config_value_net.c
