# libexec/tund/loader: the short-lived sandboxed parser of configurations.
pkglibexec_PROGRAMS += src/loader/loader
src_loader_loader_SOURCES = \
	src/loader/loader.h \
	src/loader/loader.c \
	src/loader/loader_explain.c \
	src/loader/loader_export.c \
	src/loader/loader_import.c \
	src/loader/loader_qr.c \
	src/loader/loader_wgquick.c src/loader/loader_wgquick.h \
	src/loader/loader_wgquick_value.c src/loader/loader_wgquick_value.h \
	src/loader/main.c
src_loader_loader_CFLAGS = $(AM_CFLAGS) $(QRENCODE_CFLAGS)
src_loader_loader_LDADD = $(CONFIG_LIBS) $(QRENCODE_LIBS)
