/* SPDX-License-Identifier: ISC */
/* genkey, pubkey, genpsk: keys on standard input and output, never in argv. */
#include "command.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include <tund/base/base64.h>
#include <tund/crypto/random.h>
#include <tund/crypto/secret.h>
#include <tund/crypto/x25519.h>

#include "say.h"

/* The kernel's randomness, without the libraries that crypto_init() would start and test. */
static void fill(void *ctx, uint8_t *out, size_t n)
{
	(void)ctx;
	if (getrandom(out, n, 0) != (ssize_t)n) /* never short up to 256 bytes: getrandom(2) */
		exit(say_error(EXIT_SYSTEM, "the kernel has no randomness"));
}

static void no_arguments(const struct command *command, int argc, char **argv)
{
	static const struct option options[] = {{"help", no_argument, NULL, 'h'}, {0}};

	while (command_option(command, argc, argv, options) != -1)
		continue; /* there is only --help, which does not return */
	if (optind < argc)
		command_usage(command, "%s takes no argument (a key in argv could be seen by "
				       "other users)",
			      command->name);
}

static void warn_if_readable(void)
{
	struct stat st;

	if (fstat(STDOUT_FILENO, &st) == 0 && S_ISREG(st.st_mode) && (st.st_mode & S_IRWXO))
		say("warning: writing to a file that others may read; use `umask 077`");
}

/* Past stdio, whose buffer would keep a copy. */
static int write_key(const uint8_t key[KEY_SIZE])
{
	char text[KEY_BASE64_LEN + 2];
	bool written;

	key_to_base64(key, text);
	text[KEY_BASE64_LEN] = '\n';
	written = write(STDOUT_FILENO, text, KEY_BASE64_LEN + 1) == KEY_BASE64_LEN + 1;
	secret_wipe(text, sizeof text);
	return written ? EXIT_DONE
		       : say_error(EXIT_SYSTEM, "cannot write the key to standard output");
}

int command_genkey(const struct command *command, int argc, char **argv)
{
	const struct rng rng = {.fill = fill};
	uint8_t key[X25519_SIZE];
	int code;

	no_arguments(command, argc, argv);
	warn_if_readable();
	x25519_generate(&rng, key);
	code = write_key(key);
	secret_wipe(key, sizeof key);
	return code;
}

int command_genpsk(const struct command *command, int argc, char **argv)
{
	uint8_t key[KEY_SIZE];
	int code;

	no_arguments(command, argc, argv);
	warn_if_readable();
	fill(NULL, key, sizeof key);
	code = write_key(key);
	secret_wipe(key, sizeof key);
	return code;
}

/* One line, blanks around it allowed. */
static int read_key(uint8_t key[KEY_SIZE])
{
	char text[KEY_BASE64_LEN + 16];
	size_t used = 0, begin;
	ssize_t n;
	int err = -1;

	while (used < sizeof text - 1 &&
	       (n = read(STDIN_FILENO, text + used, sizeof text - 1 - used)) > 0)
		used += (size_t)n;
	while (used && strchr(" \t\r\n", text[used - 1]))
		used--;
	text[used] = '\0';
	begin = strspn(text, " \t\r\n");
	err = key_from_base64(text + begin, key);
	secret_wipe(text, sizeof text);
	return err;
}

int command_pubkey(const struct command *command, int argc, char **argv)
{
	uint8_t key[X25519_SIZE], public_key[X25519_SIZE];
	int err;

	no_arguments(command, argc, argv);
	if (isatty(STDIN_FILENO))
		say("reading a private key from the terminal");
	err = read_key(key);
	if (!err)
		x25519_public(key, public_key);
	secret_wipe(key, sizeof key);
	if (err)
		return say_error(EXIT_USAGE, "standard input is no private key: expected 44 "
					     "characters of base64, as `tund genkey` makes them");
	return write_key(public_key);
}
