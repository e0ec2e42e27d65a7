/* SPDX-License-Identifier: ISC */
/*
 * Both files of a tunnel, separated by a NUL byte: whatever the parser accepts is encoded and
 * decoded again to the same bytes. What begins with the encoding's magic goes to the decoder.
 */
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <tund/config/config.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void expect(bool holds)
{
	if (!holds)
		abort();
}

static void count_error(void *ctx, const struct config_error *error)
{
	expect(error->text[0] != '\0' && memchr(error->text, '\0', sizeof error->text));
	for (const char *c = error->text; *c; c++)
		expect((unsigned char)*c >= ' ' && *c != 0x7f);
	++*(unsigned *)ctx;
}

static int file_of(const uint8_t *data, size_t len)
{
	int fd = memfd_create("fuzz", MFD_CLOEXEC);

	expect(fd >= 0 && write(fd, data, len) == (ssize_t)len);
	return fd;
}

static struct config *parse(const uint8_t *data, size_t len)
{
	const uint8_t *nul = len ? memchr(data, 0, len) : NULL;
	size_t first = nul ? (size_t)(nul - data) : len;
	unsigned reported = 0;
	struct config_errors sink = {.ctx = &reported, .report = count_error};
	struct config_file conf = {file_of(data, first), "a.conf", false};
	struct config_file policy = {-1, "a.policy", false};
	struct config *config = NULL;
	int err;

	if (nul)
		policy.fd = file_of(nul + 1, len - first - 1);
	err = config_parse(&conf, &policy, &sink, &config);
	expect(err == 0 || err == -EINVAL || err == -ENOMEM);
	expect((err == -EINVAL) == (reported > 0));
	close(conf.fd);
	if (nul)
		close(policy.fd);
	return err ? NULL : config;
}

static uint8_t *encode(const struct config *config, enum config_view view, size_t *len)
{
	size_t size = policy_spec_encoded_max(config->policy) + CONFIG_HOST_SIZE;
	uint8_t *buf = malloc(size);
	struct writer w = writer_init(buf, size);

	expect(buf != NULL);
	config_encode(config, view, &w);
	expect(!w.failed);
	*len = w.len;
	return buf;
}

static void round_trip(const struct config *config, enum config_view view)
{
	size_t len, again;
	uint8_t *buf = encode(config, view, &len), *second;
	struct reader r = reader_init(buf, len);
	struct config *back = NULL;

	expect(config_decode(&r, &back) == 0);
	second = encode(back, view, &again);
	expect(len == again && memcmp(buf, second, len) == 0);
	free(second);
	free(buf);
	config_free(back);
}

static void decode(const uint8_t *data, size_t len)
{
	struct reader r = reader_init(data, len);
	struct config *config = NULL;
	size_t again;
	uint8_t *buf;

	if (config_decode(&r, &config) != 0)
		return;
	buf = encode(config, (enum config_view)data[10], &again);
	expect(len == again && memcmp(buf, data, len) == 0);
	free(buf);
	config_free(config);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct config *config;

	if (len >= 8 && memcmp(data, "tundconf", 8) == 0) {
		decode(data, len);
		return 0;
	}
	config = parse(data, len);
	for (int view = CONFIG_FULL; config && view <= CONFIG_HOST; view++)
		round_trip(config, (enum config_view)view);
	config_free(config);
	return 0;
}
