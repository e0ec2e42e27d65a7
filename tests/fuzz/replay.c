/* SPDX-License-Identifier: ISC */
/*
 * Stands in for libFuzzer: runs every file of a target's corpus through it once and speaks TAP. The
 * corpus is tests/fuzz/corpus/NAME for the program fuzz_NAME, or the files named as arguments.
 */
#include <dirent.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define INPUT_MAX_BYTES (1u << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

/*
 * The input's name is printed first, so that the log of a crash ends with it. The input is copied
 * to the heap in its exact size: AddressSanitizer then sees a read beyond it.
 */
static bool replay_file(const char *path)
{
	static uint8_t buf[INPUT_MAX_BYTES];
	FILE *f = fopen(path, "rb");
	uint8_t *input;
	size_t len;

	printf("# %s\n", path);
	fflush(stdout);
	if (!f)
		return false;
	len = fread(buf, 1, sizeof buf, f);
	fclose(f);
	input = malloc(len ? len : 1);
	if (!input)
		return false;
	memcpy(input, buf, len);
	LLVMFuzzerTestOneInput(input, len);
	free(input);
	return true;
}

/* Returns how many files were replayed, or -1 when one could not be read. */
static int replay_folder(const char *folder)
{
	struct dirent **entries;
	int n = scandir(folder, &entries, NULL, alphasort), replayed = 0;

	for (int i = 0; i < n; i++) {
		char path[4096];

		snprintf(path, sizeof path, "%s/%s", folder, entries[i]->d_name);
		if (entries[i]->d_name[0] != '.' && replayed >= 0)
			replayed = replay_file(path) ? replayed + 1 : -1;
		free(entries[i]);
	}
	if (n >= 0)
		free(entries);
	return n < 0 ? -1 : replayed;
}

static const char *target_name(const char *program)
{
	const char *slash = strrchr(program, '/');
	const char *base = slash ? slash + 1 : program;

	return strncmp(base, "fuzz_", 5) == 0 ? base + 5 : base;
}

int main(int argc, char **argv)
{
	const char *srcdir = getenv("TUND_SRCDIR");
	const char *name = target_name(argv[0]);
	char folder[2048];
	int replayed = 0;

	snprintf(folder, sizeof folder, "%s/tests/fuzz/corpus/%s", srcdir ? srcdir : ".", name);
	if (argc == 1)
		replayed = replay_folder(folder);
	for (int i = 1; i < argc && replayed >= 0; i++)
		replayed = replay_file(argv[i]) ? replayed + 1 : -1;
	printf("%s 1 - fuzz %s: %d inputs replayed\n1..1\n", replayed > 0 ? "ok" : "not ok", name,
	       replayed);
	return EXIT_SUCCESS; /* the driver counts the "not ok" lines */
}
