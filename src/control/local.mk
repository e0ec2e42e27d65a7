# libexec/tund/control: command socket, status and the JSON of control frames. The program is
# pkglibexec_PROGRAMS src/control/control and links $(CONTROL_LIBS).
CONTROL_LIBS = libtund_config.a libtund_sys.a $(CORE_LIBS) $(EV_LIBS) $(JANSSON_LIBS) \
	$(SECCOMP_LIBS) $(CAPNG_LIBS)
