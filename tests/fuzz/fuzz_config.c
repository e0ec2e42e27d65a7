/* SPDX-License-Identifier: ISC */
/*
 * Both files of a tunnel, separated by a NUL byte: whatever the parser accepts is encoded and
 * decoded again to the same bytes. What begins with the number of a view, from 1, has a third part,
 * by which the encoding of that view is changed before the decoder sees it.
 */
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <tund/config/config.h>

#define VIEW_AT 8 /* behind the magic */

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

/* Without a `policy` there is no such file. */
static struct config *parse(const uint8_t *data, size_t len, const uint8_t *policy_data,
			    size_t policy_len)
{
	unsigned reported = 0;
	struct config_errors sink = {.ctx = &reported, .report = count_error};
	struct config_file conf = {file_of(data, len), "a.conf", false};
	struct config_file policy = {-1, "a.policy", false};
	struct config *config = NULL;
	int err;

	if (policy_data)
		policy.fd = file_of(policy_data, policy_len);
	err = config_parse(&conf, &policy, &sink, &config);
	expect(err == 0 || err == -EINVAL || err == -ENOMEM);
	expect((err == -EINVAL) == (reported > 0));
	close(conf.fd);
	if (policy_data)
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

/* Three bytes a change: where, and which bits; behind the end, where it is cut off. */
static size_t change(uint8_t *image, size_t len, const uint8_t *changes, size_t n)
{
	for (size_t i = 0; i + 3 <= n; i += 3) {
		size_t at = (size_t)changes[i] << 8 | changes[i + 1];

		if (at < len)
			image[at] ^= changes[i + 2];
		else
			len = at % (len + 1);
	}
	return len;
}

/* Whatever the decoder takes is all there is, and said in the one way. */
static void decode(const uint8_t *image, size_t len)
{
	struct reader r = reader_init(image, len);
	struct config *config = NULL;
	uint8_t *exact;
	size_t again;

	if (config_decode(&r, &config) != 0)
		return;
	exact = encode(config, (enum config_view)image[VIEW_AT], &again);
	expect(len == again && memcmp(exact, image, len) == 0);
	free(exact);
	config_free(config);
}

static void decode_changed(const struct config *config, enum config_view view,
			   const uint8_t *changes, size_t n)
{
	size_t len;
	uint8_t *image = encode(config, view, &len), *exact;

	len = change(image, len, changes, n);
	exact = malloc(len ? len : 1);
	expect(exact != NULL);
	memcpy(exact, image, len);
	decode(exact, len);
	free(exact);
	free(image);
}

static const uint8_t *after_nul(const uint8_t *data, const uint8_t *end)
{
	const uint8_t *nul = data < end ? memchr(data, 0, (size_t)(end - data)) : NULL;

	return nul ? nul + 1 : NULL;
}

static void run_changed(const uint8_t *data, size_t len)
{
	const uint8_t *end = data + len, *policy = after_nul(data + 1, end), *changes;
	struct config *config;
	bool is_empty;

	changes = policy ? after_nul(policy, end) : NULL;
	if (!changes)
		return;
	is_empty = changes - policy == 1;
	config = parse(data + 1, (size_t)(policy - data) - 2, is_empty ? NULL : policy,
		       (size_t)(changes - policy) - 1);
	if (config)
		decode_changed(config, (enum config_view)(data[0] - 1), changes,
			       (size_t)(end - changes));
	config_free(config);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	const uint8_t *policy = after_nul(data, data + len);
	struct config *config;

	if (len > 0 && data[0] >= CONFIG_FULL + 1 && data[0] <= CONFIG_HOST + 1) {
		run_changed(data, len);
		return 0;
	}
	config = policy ? parse(data, (size_t)(policy - data) - 1, policy,
				len - (size_t)(policy - data))
			: parse(data, len, NULL, 0);
	for (int view = CONFIG_FULL; config && view <= CONFIG_HOST; view++)
		round_trip(config, (enum config_view)view);
	config_free(config);
	return 0;
}
