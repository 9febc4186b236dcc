/* SPDX-License-Identifier: GPL-3.0-or-later */
/* If this fails, recipients cannot open our files, or a file that somebody tampered with is taken for the sender's. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/mem.h"
#include "sessiond/crypto/mediacipher.h"
#include "tests/unit/vector.h"

static struct json_object *vectors;

static int memory_file(const void *bytes, size_t len)
{
	int fd = memfd_create("test", MFD_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(pwrite(fd, bytes, len, 0), (ssize_t)len);
	return fd;
}

static void read_all(int fd, struct buf *out)
{
	off_t size = lseek(fd, 0, SEEK_END);

	buf_clear(out);
	if (size > 0)
		assert_int_equal(pread(fd, buf_reserve(out, (size_t)size), (size_t)size, 0), size);
	buf_commit(out, (size_t)size);
}

static int finish(struct media_cipher *cipher, uint64_t bytes)
{
	int rc;

	do
		rc = media_cipher_step(cipher, bytes);
	while (rc == 1);
	return rc;
}

static void example_keys(struct media_keys *keys, const char *info)
{
	struct buf key = { 0 };

	vector_bytes(vectors, "mediaKey", &key);
	assert_int_equal(media_keys_derive(keys, key.data, info), CRYPTO_OK);
	buf_free(&key);
}

static void keys_of_every_kind_are_the_ones_of_the_vectors(void **state)
{
	struct json_object *kinds = json_object_object_get(vectors, "expanded");
	struct media_keys keys;

	(void)state;
	json_object_object_foreach(kinds, name, kind)
	{
		struct buf want = { 0 };

		(void)name;
		example_keys(&keys, vector_text(kind, "info"));
		vector_bytes(kind, "iv", &want);
		vector_bytes(kind, "cipherKey", &want);
		vector_bytes(kind, "macKey", &want);
		assert_int_equal(want.len, sizeof keys);
		assert_memory_equal(want.data, &keys, sizeof keys);
		buf_free(&want);
	}
}

static void the_example_encrypts_and_decrypts(void **state)
{
	struct json_object *example = json_object_object_get(vectors, "image_example");
	struct buf want = { 0 }, hash = { 0 }, got = { 0 };
	uint8_t plain[1000];
	struct media_keys keys;
	struct media_cipher *cipher;
	int from, blob, to;

	(void)state;
	for (size_t i = 0; i < sizeof plain; i++)
		plain[i] = (uint8_t)(i * 7 + 9);
	example_keys(&keys, "WhatsApp Image Keys");
	from = memory_file(plain, sizeof plain);
	blob = memory_file("", 0);
	cipher = media_encryptor_new(&keys, from, blob, sizeof plain);
	assert_int_equal(finish(cipher, 1), 0);
	vector_bytes(example, "fileSha256", &hash);
	assert_memory_equal(hash.data, media_cipher_sums(cipher)->plain_hash, 32);
	buf_clear(&hash);
	vector_bytes(example, "fileEncSha256", &hash);
	assert_memory_equal(hash.data, media_cipher_sums(cipher)->blob_hash, 32);
	vector_bytes(example, "encrypted", &want);
	read_all(blob, &got);
	assert_int_equal(got.len, want.len);
	assert_memory_equal(got.data, want.data, want.len);
	assert_int_equal(media_cipher_sums(cipher)->blob_len, MEDIA_BLOB_LEN(sizeof plain));
	to = memory_file("", 0);
	{
		struct media_cipher *back = media_decryptor_new(&keys, blob, to, 2000, media_cipher_sums(cipher)->plain_hash, hash.data);

		assert_int_equal(finish(back, 1), 0);
		media_cipher_free(&back);
	}
	read_all(to, &got);
	assert_int_equal(got.len, sizeof plain);
	assert_memory_equal(got.data, plain, sizeof plain);
	media_cipher_free(&cipher);
	buf_free(&want);
	buf_free(&hash);
	buf_free(&got);
	close(from);
	close(blob);
	close(to);
}

/* Encrypts `len` bytes; the blob's descriptor and sums. */
static int encrypted(const struct media_keys *keys, size_t len, struct media_sums *sums)
{
	uint8_t *plain = xmalloc(len + 1);
	struct media_cipher *cipher;
	int from, blob = memory_file("", 0);

	for (size_t i = 0; i < len; i++)
		plain[i] = (uint8_t)(i * 31 + i / 251);
	from = memory_file(plain, len);
	cipher = media_encryptor_new(keys, from, blob, len);
	assert_int_equal(finish(cipher, UINT64_MAX), 0);
	*sums = *media_cipher_sums(cipher);
	media_cipher_free(&cipher);
	close(from);
	free(plain);
	return blob;
}

static void every_length_around_the_borders_comes_back(void **state)
{
	static const size_t lengths[] = { 0, 1, 5, 10, 15, 16, 17, 26, 131062, 131071, 131072, 131073, 131082, 262143, 262144, 262154, 1000003 };
	struct media_keys keys;

	(void)state;
	example_keys(&keys, "WhatsApp Video Keys");
	for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
		struct media_sums sums;
		int blob = encrypted(&keys, lengths[i], &sums), to = memory_file("left over", 9);
		struct media_cipher *cipher;

		assert_int_equal(sums.plain_len, lengths[i]);
		assert_int_equal(sums.blob_len, MEDIA_BLOB_LEN(lengths[i]));
		assert_int_equal(lseek(blob, 0, SEEK_END), (off_t)sums.blob_len);
		assert_int_equal(ftruncate(to, 0), 0);
		cipher = media_decryptor_new(&keys, blob, to, sums.blob_len, sums.plain_hash, sums.blob_hash);
		assert_int_equal(finish(cipher, 4096), 0);
		assert_int_equal(media_cipher_sums(cipher)->plain_len, lengths[i]);
		assert_int_equal(lseek(to, 0, SEEK_END), (off_t)lengths[i]);
		media_cipher_free(&cipher);
		close(blob);
		close(to);
	}
}

static int decrypt(const struct media_keys *keys, int blob, uint64_t max, const struct media_sums *want, off_t *left)
{
	int to = memory_file("", 0), rc;
	struct media_cipher *cipher = media_decryptor_new(keys, blob, to, max, want ? want->plain_hash : NULL, want ? want->blob_hash : NULL);

	rc = finish(cipher, 65536);
	*left = lseek(to, 0, SEEK_END);
	media_cipher_free(&cipher);
	close(to);
	return rc;
}

static void nothing_of_a_false_blob_is_left(void **state)
{
	struct media_keys keys;
	struct media_sums sums, other;
	uint8_t byte;
	off_t left;
	int blob;

	(void)state;
	example_keys(&keys, "WhatsApp Document Keys");
	blob = encrypted(&keys, 300000, &sums);
	/* without known hashes the MAC alone decides */
	assert_int_equal(decrypt(&keys, blob, sums.blob_len, NULL, &left), 0);
	for (off_t at = 0; at < (off_t)sums.blob_len; at += 29999) {
		assert_int_equal(pread(blob, &byte, 1, at), 1);
		byte ^= 1;
		assert_int_equal(pwrite(blob, &byte, 1, at), 1);
		assert_int_equal(decrypt(&keys, blob, sums.blob_len, NULL, &left), CRYPTO_EAUTH);
		assert_int_equal(left, 0);
		byte ^= 1;
		assert_int_equal(pwrite(blob, &byte, 1, at), 1);
	}
	other = sums;
	other.plain_hash[3] ^= 1;
	assert_int_equal(decrypt(&keys, blob, sums.blob_len, &other, &left), CRYPTO_EAUTH);
	other = sums;
	other.blob_hash[3] ^= 1;
	assert_int_equal(decrypt(&keys, blob, sums.blob_len, &other, &left), CRYPTO_EAUTH);
	assert_int_equal(left, 0);
	assert_int_equal(decrypt(&keys, blob, sums.blob_len - 1, &sums, &left), CRYPTO_EARG);
	assert_int_equal(left, 0);
	assert_int_equal(ftruncate(blob, (off_t)sums.blob_len - 16), 0);
	assert_int_equal(decrypt(&keys, blob, sums.blob_len, NULL, &left), CRYPTO_EAUTH);
	assert_int_equal(ftruncate(blob, 200001), 0);
	assert_int_equal(decrypt(&keys, blob, sums.blob_len, NULL, &left), CRYPTO_EARG);
	for (off_t len = 25; len >= 0; len--) {
		assert_int_equal(ftruncate(blob, len), 0);
		assert_int_equal(decrypt(&keys, blob, sums.blob_len, NULL, &left), CRYPTO_EARG);
		assert_int_equal(left, 0);
	}
	close(blob);
}

static void files_without_key_are_only_hashed(void **state)
{
	struct media_sums sums;
	off_t left;
	int blob;

	(void)state;
	blob = encrypted(NULL, 5000, &sums);
	assert_int_equal(sums.blob_len, 5000);
	assert_memory_equal(sums.plain_hash, sums.blob_hash, 32);
	assert_int_equal(decrypt(NULL, blob, 5000, &sums, &left), 0);
	assert_int_equal(left, 5000);
	sums.plain_hash[0] ^= 1;
	assert_int_equal(decrypt(NULL, blob, 5000, &sums, &left), CRYPTO_EAUTH);
	close(blob);
}

static void too_long_a_source_is_refused(void **state)
{
	struct media_keys keys;
	int from = memory_file("0123456789", 10), to = memory_file("", 0);
	struct media_cipher *cipher;

	(void)state;
	example_keys(&keys, "WhatsApp Audio Keys");
	cipher = media_encryptor_new(&keys, from, to, 9);
	assert_int_equal(finish(cipher, 100), CRYPTO_EARG);
	media_cipher_free(&cipher);
	close(from);
	close(to);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(keys_of_every_kind_are_the_ones_of_the_vectors),
		cmocka_unit_test(the_example_encrypts_and_decrypts),
		cmocka_unit_test(every_length_around_the_borders_comes_back),
		cmocka_unit_test(nothing_of_a_false_blob_is_left),
		cmocka_unit_test(files_without_key_are_only_hashed),
		cmocka_unit_test(too_long_a_source_is_refused),
	};
	int failed;

	vectors = vector_file(TEST_VECTORS_DIR "/media.json");
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	json_object_put(vectors);
	return failed;
}
