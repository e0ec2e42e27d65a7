# sbin/tund: the command line, and the parent behind "tund run". All but main() is in
# libtund_cmd.a, so that tests can have it.
noinst_LIBRARIES += libtund_cmd.a
libtund_cmd_a_SOURCES = \
	src/cmd/ask.h src/cmd/ask.c \
	src/cmd/command.h src/cmd/command.c src/cmd/command_check.c \
	src/cmd/command_down.c src/cmd/command_keys.c \
	src/cmd/command_wireguard.c src/cmd/command_status.c \
	src/cmd/command_table.c src/cmd/command_up.c \
	src/cmd/daemon.h src/cmd/daemon.c \
	src/cmd/question.h src/cmd/question.c \
	src/cmd/say.h src/cmd/say.c
CMD_LIBS = libtund_cmd.a $(PARENT_LIBS)

sbin_PROGRAMS += src/cmd/tund src/cmd/tund-wg
src_cmd_tund_SOURCES = src/cmd/main.c
src_cmd_tund_LDADD = $(CMD_LIBS)
src_cmd_tund_wg_SOURCES = src/cmd/main_wg.c
src_cmd_tund_wg_LDADD = $(CMD_LIBS)

# In a folder of its own, for bash-completion loads a file by the name of its command.
dist_bashcompletion_DATA = src/cmd/bash-completion/tund
