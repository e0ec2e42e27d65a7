# sbin/tund: the command line, and the parent behind "tund run". The program is sbin_PROGRAMS
# src/cmd/tund, of its own files and $(PARENT_FILES), and links $(CMD_LIBS).
CMD_LIBS = $(PARENT_LIBS) $(JANSSON_LIBS)

# In a folder of its own, for bash-completion loads a file by the name of its command.
dist_bashcompletion_DATA = src/cmd/bash-completion/tund
