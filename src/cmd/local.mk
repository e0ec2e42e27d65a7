# sbin/tund: the command line, and the parent behind "tund run". The program is sbin_PROGRAMS
# src/cmd/tund, of its own files and $(PARENT_FILES).
sbin_PROGRAMS += src/cmd/tund
src_cmd_tund_SOURCES = $(PARENT_FILES) \
	include/tund/cmd/ask.h src/cmd/ask.c \
	include/tund/cmd/command.h src/cmd/command.c src/cmd/command_check.c \
	src/cmd/command_down.c src/cmd/command_keys.c src/cmd/command_status.c \
	src/cmd/command_table.c src/cmd/command_up.c \
	include/tund/cmd/explain.h src/cmd/explain.c \
	include/tund/cmd/say.h src/cmd/say.c \
	src/cmd/main.c
src_cmd_tund_CFLAGS = $(AM_CFLAGS)
src_cmd_tund_LDADD = $(PARENT_LIBS)

# In a folder of its own, for bash-completion loads a file by the name of its command.
dist_bashcompletion_DATA = src/cmd/bash-completion/tund
