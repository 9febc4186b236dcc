/* SPDX-License-Identifier: GPL-3.0-or-later */
/* If this fails, stored media could be altered or cut unnoticed, be unreadable after a change of key, or be served from where they must not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <fcntl.h>
#include <unistd.h>

#include <cmocka.h>

#include "sessiond/crypto/crypto.h"
#include "sessiond/storage/legacy.h"
#include "sessiond/storage/naming.h"
#include "sessiond/storage/sealedfile.h"
#include "sessiond/storage/signedurl.h"

static struct keyring ring_of(uint8_t first, uint8_t second)
{
	struct keyring ring = { 0 };
	const uint8_t all[] = { first, second };

	for (size_t i = 0; i < 2 && all[i]; i++) {
		memset(ring.keys[i].key, all[i], 32);
		ring.keys[i].id = all[i];
		ring.count++;
	}
	return ring;
}

static uint8_t content(uint64_t at)
{
	return (uint8_t)(at * 7 + at / 251);
}

static int make(uint64_t size, const struct keyring *ring)
{
	int fd = memfd_create("sealed", MFD_CLOEXEC);
	uint8_t *buffer = malloc(SEALED_CHUNK + SEALED_TAG);
	struct sealed_file file;

	assert_int_equal(sealed_create(&file, fd, size, ring), 0);
	for (uint64_t chunk = 0; chunk < sealed_chunks(size); chunk++) {
		size_t n = sealed_chunk_size(size, chunk);

		for (size_t i = 0; i < n; i++)
			buffer[i] = content(chunk * SEALED_CHUNK + i);
		assert_int_equal(sealed_write(&file, chunk, buffer), 0);
	}
	sealed_close(&file);
	free(buffer);
	return fd;
}

/* 0 when every byte is there and right. */
static int check(int fd, uint64_t size, const struct keyring *ring)
{
	uint8_t *buffer = malloc(SEALED_CHUNK + SEALED_TAG);
	struct sealed_file file;
	int rc = sealed_open(&file, fd, ring);

	if (rc == 0)
		assert_int_equal(file.size, size);
	/* from the last chunk to the first: any order works */
	for (uint64_t chunk = sealed_chunks(size); rc == 0 && chunk-- > 0;) {
		rc = sealed_read(&file, chunk, buffer);
		for (size_t i = 0; rc == 0 && i < sealed_chunk_size(size, chunk); i++)
			assert_int_equal(buffer[i], content(chunk * SEALED_CHUNK + i));
	}
	sealed_close(&file);
	free(buffer);
	return rc;
}

static void every_size_comes_back(void **state)
{
	static const uint64_t sizes[] = { 0, 1, 15, SEALED_CHUNK - 1, SEALED_CHUNK, SEALED_CHUNK + 1, 3 * SEALED_CHUNK, 3 * SEALED_CHUNK + 77 };
	struct keyring ring = ring_of(1, 0), other = ring_of(2, 0);

	(void)state;
	for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
		int fd = make(sizes[i], &ring);
		struct stat st;

		assert_int_equal(fstat(fd, &st), 0);
		assert_int_equal(st.st_size, sealed_length(sizes[i]));
		assert_int_equal(check(fd, sizes[i], &ring), 0);
		assert_int_equal(check(fd, sizes[i], &other), STORAGE_KEY);
		close(fd);
	}
}

static void a_cut_or_grown_file_is_noticed_at_once(void **state)
{
	struct keyring ring = ring_of(1, 0);
	uint64_t size = 2 * SEALED_CHUNK + 10;
	static const int64_t off[] = { -1, 1, -26, -(int64_t)(SEALED_CHUNK + SEALED_TAG), SEALED_CHUNK + SEALED_TAG };

	(void)state;
	for (size_t i = 0; i < sizeof off / sizeof *off; i++) {
		int fd = make(size, &ring);

		assert_int_equal(ftruncate(fd, (off_t)sealed_length(size) + off[i]), 0);
		assert_int_equal(check(fd, size, &ring), STORAGE_DAMAGED);
		close(fd);
	}
	/* The size in the header goes with the cut: the key's slot does not fit any more. */
	int fd = make(size, &ring);
	uint8_t shorter[8] = { 0, 0, 0, 0, 0, 2, 0, 0 };

	assert_int_equal(pwrite(fd, shorter, sizeof shorter, 16), 8);
	assert_int_equal(ftruncate(fd, (off_t)sealed_length((uint64_t)2 << 16)), 0);
	assert_int_equal(check(fd, (uint64_t)2 << 16, &ring), STORAGE_DAMAGED);
	close(fd);
}

static void any_flipped_bit_is_noticed(void **state)
{
	struct keyring ring = ring_of(1, 0);
	uint64_t size = SEALED_CHUNK + 40;

	(void)state;
	for (uint64_t at = 0; at < sealed_length(size); at += at < SEALED_HEADER + 40 ? 1 : 4099) {
		int fd = make(size, &ring), rc;
		uint8_t byte;

		/* the empty slot holds nothing that counts */
		if (at >= SEALED_FIXED + SEALED_SLOT && at < SEALED_HEADER) {
			close(fd);
			continue;
		}
		assert_int_equal(pread(fd, &byte, 1, (off_t)at), 1);
		byte ^= 0x10;
		assert_int_equal(pwrite(fd, &byte, 1, (off_t)at), 1);
		rc = check(fd, size, &ring);
		assert_true(rc == STORAGE_DAMAGED || rc == STORAGE_KEY);
		close(fd);
	}
}

static void chunks_cannot_be_exchanged(void **state)
{
	struct keyring ring = ring_of(1, 0);
	uint64_t size = 3 * SEALED_CHUNK;
	size_t whole = SEALED_CHUNK + SEALED_TAG;
	int fd = make(size, &ring), other = make(size, &ring);
	uint8_t *a = malloc(whole), *b = malloc(whole);

	(void)state;
	assert_int_equal(storage_pread(fd, a, whole, SEALED_HEADER), 0);
	assert_int_equal(storage_pread(fd, b, whole, SEALED_HEADER + whole), 0);
	assert_int_equal(storage_pwrite(fd, b, whole, SEALED_HEADER), 0);
	assert_int_equal(storage_pwrite(fd, a, whole, SEALED_HEADER + whole), 0);
	assert_int_equal(check(fd, size, &ring), STORAGE_DAMAGED);
	/* nor taken from another file of the same content */
	assert_int_equal(storage_pread(fd, a, whole, SEALED_HEADER + 2 * whole), 0);
	assert_int_equal(storage_pwrite(other, a, whole, SEALED_HEADER + 2 * whole), 0);
	assert_int_equal(check(other, size, &ring), STORAGE_DAMAGED);
	free(a);
	free(b);
	close(fd);
	close(other);
}

static void another_key_takes_over_in_place(void **state)
{
	struct keyring old = ring_of(1, 0), both = ring_of(2, 1), only_new = ring_of(2, 0), third = ring_of(3, 2);
	uint64_t size = SEALED_CHUNK + 5;
	int fd = make(size, &old);

	(void)state;
	assert_int_equal(sealed_rewrap(fd, &old), 0);
	assert_int_equal(sealed_rewrap(fd, &both), 0);
	assert_int_equal(check(fd, size, &only_new), 0);
	assert_int_equal(check(fd, size, &old), STORAGE_KEY);
	assert_int_equal(sealed_rewrap(fd, &third), 0);
	assert_int_equal(sealed_rewrap(fd, &third), 0);
	assert_int_equal(check(fd, size, &third), 0);
	assert_int_equal(check(fd, size, &only_new), STORAGE_KEY);
	close(fd);
}

/* Power went in the middle of the exchange: a torn slot beside a good one, or both good. */
static void a_broken_exchange_is_finished(void **state)
{
	struct keyring old = ring_of(1, 0), both = ring_of(2, 1), only_new = ring_of(2, 0);
	uint64_t size = 99;
	uint8_t before[SEALED_SLOT], torn[SEALED_SLOT];
	int fd = make(size, &old);

	(void)state;
	memset(torn, 0x55, sizeof torn);
	assert_int_equal(storage_pwrite(fd, torn, sizeof torn, SEALED_FIXED + SEALED_SLOT), 0);
	assert_int_equal(check(fd, size, &old), 0);
	assert_int_equal(storage_pread(fd, before, sizeof before, SEALED_FIXED), 0);
	assert_int_equal(sealed_rewrap(fd, &both), 0);
	assert_int_equal(check(fd, size, &only_new), 0);
	/* both slots good: the old one is still there */
	assert_int_equal(storage_pwrite(fd, before, sizeof before, SEALED_FIXED), 0);
	assert_int_equal(check(fd, size, &old), 0);
	assert_int_equal(sealed_rewrap(fd, &both), 0);
	assert_int_equal(check(fd, size, &only_new), 0);
	assert_int_equal(check(fd, size, &old), STORAGE_KEY);
	close(fd);
}

/* ---- names ---- */

static void assert_key(const struct storage_meta *meta, const char *want)
{
	struct buf key = { 0 };

	naming_key(&key, meta, "0123");
	assert_string_equal(buf_text(&key), want);
	assert_true(naming_key_is_valid(want));
	buf_free(&key);
}

static void keys_hold_nothing_of_a_path(void **state)
{
	(void)state;
	assert_key(&(struct storage_meta){ .folder = "incoming-media", .session = "sales", .kind = "imageMessage", .mime = "image/jpeg" },
		"incoming-media/sales/imageMessage/0123.jpeg");
	assert_key(&(struct storage_meta){ .folder = "incoming-media", .session = "..", .kind = ".", .mime = "audio/aac", .file_name = "x.html" },
		"incoming-media/-/-/0123.aac");
	assert_key(&(struct storage_meta){ .folder = "/misc\\..//temp/", .session = "a/b c", .mime = "text/html" }, "misc/-/temp/a-b-c/0123.bin");
	assert_false(naming_key_is_valid(""));
	assert_false(naming_key_is_valid("/a"));
	assert_false(naming_key_is_valid("a//b"));
	assert_false(naming_key_is_valid("a/../b"));
	assert_false(naming_key_is_valid("a/.."));
	assert_false(naming_key_is_valid("a/b%"));
	assert_true(naming_key_is_valid("a/...b"));
}

static void only_harmless_types_are_served(void **state)
{
	(void)state;
	assert_string_equal(naming_served_type("image/png"), "image/png");
	assert_string_equal(naming_served_type("Audio/OGG; codecs=opus"), "audio/ogg");
	assert_string_equal(naming_served_type("text/html"), "application/octet-stream");
	assert_string_equal(naming_served_type("image/svg+xml"), "application/octet-stream");
	assert_string_equal(naming_served_type("application/xhtml+xml"), "application/octet-stream");
	assert_string_equal(naming_served_type("image/png\r\nX: y"), "application/octet-stream");
	assert_string_equal(naming_served_type(NULL), "application/octet-stream");
	assert_string_equal(naming_extension("audio/ogg; codecs=opus"), "ogg");
	assert_string_equal(naming_extension("text/html"), "bin");
}

static void links_are_not_followed(void **state)
{
	char folder[] = "/tmp/test_storage.XXXXXX";
	int root, fd;

	(void)state;
	assert_non_null(mkdtemp(folder));
	root = open(folder, O_RDONLY | O_DIRECTORY);
	assert_int_equal(mkdirat(root, "real", 0700), 0);
	fd = naming_open(root, "real/file", O_RDWR | O_CREAT);
	assert_true(fd >= 0);
	close(fd);
	assert_int_equal(symlinkat("real", root, "link"), 0);
	assert_int_equal(symlinkat("file", root, "real/leaf"), 0);
	assert_int_equal(naming_open(root, "link/file", O_RDONLY), -1);
	assert_int_equal(naming_open(root, "real/leaf", O_RDONLY), -1);
	assert_int_equal(naming_open(root, "../etc/passwd", O_RDONLY), -1);
	assert_int_equal(naming_open(root, "/etc/passwd", O_RDONLY), -1);
	unlinkat(root, "real/leaf", 0);
	unlinkat(root, "real/file", 0);
	unlinkat(root, "link", 0);
	unlinkat(root, "real", AT_REMOVEDIR);
	close(root);
	rmdir(folder);
}

/* ---- what the original made: vectors of the contract ---- */

static void signed_addresses_are_the_originals(void **state)
{
	static const char key[] = "incoming-media/sales/imageMessage/ab12.jpeg";
	static const char want[] = "365ea817079f898c132c6b68513fd77c3d997fb85e00bb1054d2efa61d7d20f5";
	char token[65];
	struct buf query = { 0 };

	(void)state;
	signedurl_token("unit-test-secret", key, 1767226500, NULL, NULL, token);
	assert_string_equal(token, want);
	signedurl_query(&query, "unit-test-secret", key, 1767226500, NULL);
	assert_string_equal(buf_text(&query), "?key=incoming-media%2Fsales%2FimageMessage%2Fab12.jpeg&visibility=private&expires=1767226500&token="
					      "365ea817079f898c132c6b68513fd77c3d997fb85e00bb1054d2efa61d7d20f5&scope=download");
	buf_free(&query);
	assert_true(signedurl_fits("unit-test-secret", key, "1767226500", want, "download", NULL, 1767226500));
	assert_true(signedurl_fits("unit-test-secret", key, "1767226500", "365EA817079f898c132c6b68513fd77c3d997fb85e00bb1054d2efa61d7d20f5", NULL, "", 0));
	assert_false(signedurl_fits("unit-test-secret", key, "1767226500", want, "download", NULL, 1767226501));
	assert_false(signedurl_fits("unit-test-secret", key, "1767226501", want, "download", NULL, 0));
	assert_false(signedurl_fits("unit-test-secret", key, "1767226500 ", want, "download", NULL, 0));
	assert_false(signedurl_fits("unit-test-secret", key, "1767226500", want, "upload", NULL, 0));
	assert_false(signedurl_fits("unit-test-secret", key, "1767226500", want, NULL, "x.jpeg", 0));
	assert_false(signedurl_fits("other", key, "1767226500", want, NULL, NULL, 0));
	assert_false(signedurl_fits("unit-test-secret", NULL, "1767226500", want, NULL, NULL, 0));
	assert_false(signedurl_fits("unit-test-secret", key, NULL, want, NULL, NULL, 0));
	assert_false(signedurl_fits("unit-test-secret", key, "1767226500", "zz", NULL, NULL, 0));
}

static void keys_are_derived_like_the_originals(void **state)
{
	uint8_t key[32];
	char hex[65];

	(void)state;
	keyring_derive("warest-storage-secret", key);
	crypto_hex(key, sizeof key, hex);
	assert_string_equal(hex, "80c23b4f9b95fa296cdbeaba2d14ee4dc727cf3bb3b6490826e856e35e447312");
	keyring_derive("0101010101010101010101010101010101010101010101010101010101010101", key);
	assert_int_equal(key[31], 1);
	/* taken for base64, and too short: hashed */
	keyring_derive("password", key);
	crypto_sha256("\xa5\xab\x2c\xc2\x8a\xdd", 6, (uint8_t *)hex);
	assert_memory_equal(key, hex, 32);
}

static void write_at(int root, const char *path, const void *bytes, size_t n)
{
	int fd = naming_open(root, path, O_RDWR | O_CREAT | O_TRUNC);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, bytes, n), n);
	close(fd);
}

static void files_of_the_original_are_read(void **state)
{
	static const uint8_t sealed[] = { 0x66, 0x8f, 0xd9, 0x38, 0xfe, 0x99, 0x8d, 0x2e, 0xa0, 0x61, 0xaf, 0xac };
	static const char sidecar[] = "{\n  \"key\": \"a.bin\",\n  \"driver\": \"local\", \"visibility\": \"private\", \"originalName\": \"hello.txt\","
				      "\"mimeType\": \"text/plain\", \"size\": 12, \"encrypted\": true, \"encryption\": {\"algorithm\": \"aes-256-gcm\","
				      "\"iv\": \"000102030405060708090a0b\", \"authTag\": \"8c5845016b7e33e19255ef334d636689\"},"
				      "\"extra\": {\"sessionId\": \"sales\"}}";
	char folder[] = "/tmp/test_storage.XXXXXX";
	struct legacy_places places;
	struct legacy_file file;
	struct keyring ring = ring_of(1, 0);
	struct arena arena;
	uint8_t out[16];
	int root;

	(void)state;
	arena_init(&arena, 0);
	assert_non_null(mkdtemp(folder));
	root = open(folder, O_RDONLY | O_DIRECTORY);
	places = (struct legacy_places){ .public_root = -1, .private_root = root, .metadata = root };
	write_at(root, "a.bin", sealed, sizeof sealed);
	write_at(root, "a.bin.meta.json", sidecar, sizeof sidecar - 1);
	ring.original_count = 2;
	keyring_derive("something else", ring.original[0]);
	keyring_derive("warest-storage-secret", ring.original[1]);
	assert_int_equal(legacy_open(&file, &places, "a.bin", &ring, &arena), 0);
	assert_int_equal(file.size, 12);
	assert_string_equal(file.name, "hello.txt");
	assert_string_equal(file.session, "sales");
	assert_false(file.is_public);
	assert_int_equal(legacy_read(&file, 0, out, 12), 0);
	assert_memory_equal(out, "hello warest", 12);
	assert_int_equal(legacy_read(&file, 6, out, 3), 0);
	assert_memory_equal(out, "war", 3);
	close(file.fd);
	/* one bit, and nothing at all is given out */
	write_at(root, "a.bin", "\x67", 1);
	assert_int_equal(legacy_open(&file, &places, "a.bin", &ring, &arena), STORAGE_DAMAGED);
	assert_int_equal(legacy_open(&file, &places, "a.bin.meta.json", &ring, &arena), STORAGE_NOT_FOUND);
	assert_int_equal(legacy_open(&file, &places, "b.bin", &ring, &arena), STORAGE_NOT_FOUND);
	write_at(root, "a.bin.meta.json", "{", 1);
	assert_int_equal(legacy_open(&file, &places, "a.bin", &ring, &arena), STORAGE_DAMAGED);
	assert_int_equal(legacy_remove(&places, "a.bin"), 0);
	assert_int_equal(legacy_remove(&places, "a.bin"), STORAGE_NOT_FOUND);
	close(root);
	assert_int_equal(rmdir(folder), 0);
	arena_free(&arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_size_comes_back),
		cmocka_unit_test(a_cut_or_grown_file_is_noticed_at_once),
		cmocka_unit_test(any_flipped_bit_is_noticed),
		cmocka_unit_test(chunks_cannot_be_exchanged),
		cmocka_unit_test(another_key_takes_over_in_place),
		cmocka_unit_test(a_broken_exchange_is_finished),
		cmocka_unit_test(keys_hold_nothing_of_a_path),
		cmocka_unit_test(only_harmless_types_are_served),
		cmocka_unit_test(links_are_not_followed),
		cmocka_unit_test(signed_addresses_are_the_originals),
		cmocka_unit_test(keys_are_derived_like_the_originals),
		cmocka_unit_test(files_of_the_original_are_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
