# The messages that parent, engine, control and cmd exchange: headers only.
noinst_HEADERS += \
	include/tund/ipc/command.h \
	include/tund/ipc/engine.h \
	include/tund/ipc/parent.h
