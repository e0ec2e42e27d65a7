# libexec/tund/engine: keys, sessions, policy and packets. The program is pkglibexec_PROGRAMS
# src/engine/engine and links $(ENGINE_LIBS).
ENGINE_LIBS = libtund_config.a libtund_sys.a $(CORE_LIBS) $(EV_LIBS) $(SECCOMP_LIBS) $(CAPNG_LIBS)
