/* SPDX-License-Identifier: GPL-3.0-or-later */
/* If this fails, keys rest readable on the disk, or a stored secret no longer opens after a restart or a key rotation. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "sessiond/crypto/crypto.h"
#include "sessiond/crypto/seal.h"
#include "sessiond/crypto/secretfile.h"

#define KEY_A "1 0101010101010101010101010101010101010101010101010101010101010101\n"
#define KEY_B "7 0303030303030303030303030303030303030303030303030303030303030303\n"

#define KEY_C "9 0606060606060606060606060606060606060606060606060606060606060606\n"

struct fixture {
	char folder[64];
	char path[96];
};

static int make_folder(void **state)
{
	struct fixture *f = calloc(1, sizeof *f);

	snprintf(f->folder, sizeof f->folder, "%s", "/tmp/test_seal.XXXXXX");
	if (mkdtemp(f->folder) == NULL)
		return -1;
	snprintf(f->path, sizeof f->path, "%s/key", f->folder);
	*state = f;
	return 0;
}

static int remove_folder(void **state)
{
	struct fixture *f = *state;

	unlink(f->path);
	rmdir(f->folder);
	free(f);
	return 0;
}

static void sealed_opens_again_and_is_bound_to_row_and_purpose(void **state)
{
	uint8_t sealed[10 + SEAL_OVERHEAD], second[10 + SEAL_OVERHEAD], plain[10];
	struct seal_ring *ring;
	struct sealer *sealer, *other;

	(void)state;
	assert_int_equal(seal_ring_parse(&ring, KEY_A), CRYPTO_OK);
	sealer = sealer_new(ring, "state");
	other = sealer_new(ring, "webhook");
	assert_int_equal(sealer_seal(sealer, "row 1", 5, "0123456789", 10, sealed), CRYPTO_OK);
	assert_int_equal(sealer_seal(sealer, "row 1", 5, "0123456789", 10, second), CRYPTO_OK);
	assert_memory_not_equal(sealed, second, sizeof sealed);
	assert_int_equal(sealer_open(sealer, "row 1", 5, sealed, sizeof sealed, plain), CRYPTO_OK);
	assert_memory_equal(plain, "0123456789", 10);
	assert_int_equal(sealer_open(sealer, "row 2", 5, sealed, sizeof sealed, plain), CRYPTO_EAUTH);
	assert_int_equal(sealer_open(other, "row 1", 5, sealed, sizeof sealed, plain), CRYPTO_EAUTH);
	assert_int_equal(sealer_open(sealer, "row 1", 5, sealed, sizeof sealed - 1, plain), CRYPTO_EAUTH);
	assert_int_equal(sealer_open(sealer, "row 1", 5, sealed, SEAL_OVERHEAD - 1, plain), CRYPTO_EFORMAT);
	sealed[0] = 2;
	assert_int_equal(sealer_open(sealer, "row 1", 5, sealed, sizeof sealed, plain), CRYPTO_EFORMAT);
	sealer_free(sealer);
	sealer_free(other);
	seal_ring_free(ring);
}

/* Made with an independent XAES-256-GCM that reproduces the vectors of the C2SP document; both cases of the CMAC subkey. */
static void values_sealed_elsewhere_open(void **state)
{
	static const char *const values[] = {
		"0100014142434445464748494a4b4c4d4e4f505152535455565758385cd5ca051407d679003539de4eecbba456f9f9",
		"0100094142434445464748494a4b4c4d4e4f5051525354555657580f1c4c92df9febe9783b14778f462c5047447b8f",
	};
	uint8_t sealed[4 + SEAL_OVERHEAD], plain[4];
	struct seal_ring *ring;
	struct sealer *sealer;

	(void)state;
	assert_int_equal(seal_ring_parse(&ring, KEY_A KEY_C), CRYPTO_OK);
	sealer = sealer_new(ring, "state");
	for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
		assert_int_equal(crypto_unhex(values[i], strlen(values[i]), sealed, sizeof sealed), CRYPTO_OK);
		assert_int_equal(sealer_open(sealer, "row 1", 5, sealed, sizeof sealed, plain), CRYPTO_OK);
		assert_memory_equal(plain, "kept", 4);
	}
	sealer_free(sealer);
	seal_ring_free(ring);
}

static void rotation_seals_with_the_last_key_and_opens_with_all(void **state)
{
	uint8_t sealed[3 + SEAL_OVERHEAD], plain[3];
	struct seal_ring *ring, *rotated, *fresh;
	struct sealer *before, *after, *without;

	(void)state;
	assert_int_equal(seal_ring_parse(&ring, KEY_A), CRYPTO_OK);
	assert_int_equal(seal_ring_parse(&rotated, KEY_A KEY_B), CRYPTO_OK);
	assert_int_equal(seal_ring_parse(&fresh, KEY_B), CRYPTO_OK);
	assert_int_equal(seal_ring_current(rotated), 7);
	before = sealer_new(ring, "state");
	after = sealer_new(rotated, "state");
	without = sealer_new(fresh, "state");
	assert_int_equal(sealer_seal(before, "", 0, "abc", 3, sealed), CRYPTO_OK);
	assert_int_equal(seal_key_id(sealed, sizeof sealed), 1);
	assert_int_equal(sealer_open(after, "", 0, sealed, sizeof sealed, plain), CRYPTO_OK);
	assert_int_equal(sealer_open(without, "", 0, sealed, sizeof sealed, plain), CRYPTO_EKEY);
	assert_int_equal(sealer_seal(after, "", 0, "abc", 3, sealed), CRYPTO_OK);
	assert_int_equal(seal_key_id(sealed, sizeof sealed), 7);
	assert_int_equal(sealer_open(without, "", 0, sealed, sizeof sealed, plain), CRYPTO_OK);
	assert_int_equal(sealer_open(before, "", 0, sealed, sizeof sealed, plain), CRYPTO_EKEY);
	sealer_free(before);
	sealer_free(after);
	sealer_free(without);
	seal_ring_free(ring);
	seal_ring_free(rotated);
	seal_ring_free(fresh);
}

static void malformed_key_files_are_refused(void **state)
{
	static const char *const wrong[] = {
		"", "\n", "1 00\n", "0 0101010101010101010101010101010101010101010101010101010101010101\n",
		"0101010101010101010101010101010101010101010101010101010101010101\n",
		"65536 0101010101010101010101010101010101010101010101010101010101010101\n", KEY_A "2\n",
	};
	struct seal_ring *ring;

	(void)state;
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
		assert_int_equal(seal_ring_parse(&ring, wrong[i]), CRYPTO_EFORMAT);
}

static void key_file_is_made_once_for_its_owner_alone(void **state)
{
	struct fixture *f = *state;
	uint8_t sealed[3 + SEAL_OVERHEAD], plain[3];
	struct seal_ring *ring;
	struct sealer *sealer;
	char why[256] = "";
	struct stat st;

	assert_int_equal(seal_ring_load(&ring, f->path, why, sizeof why), CRYPTO_OK);
	assert_int_equal(stat(f->path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_int_equal(st.st_nlink, 1);
	sealer = sealer_new(ring, "state");
	assert_int_equal(sealer_seal(sealer, "", 0, "abc", 3, sealed), CRYPTO_OK);
	sealer_free(sealer);
	seal_ring_free(ring);

	assert_int_equal(seal_ring_load(&ring, f->path, why, sizeof why), CRYPTO_OK);
	sealer = sealer_new(ring, "state");
	assert_int_equal(sealer_open(sealer, "", 0, sealed, sizeof sealed, plain), CRYPTO_OK);
	sealer_free(sealer);
	seal_ring_free(ring);

	assert_int_equal(chmod(f->path, 0640), 0);
	assert_int_equal(seal_ring_load(&ring, f->path, why, sizeof why), CRYPTO_EIO);
	assert_non_null(strstr(why, "owner alone"));
}

static void secret_of_bytes_is_made_once(void **state)
{
	struct fixture *f = *state;
	uint8_t first[32], second[32];

	assert_int_equal(secretfile_load_or_create(f->path, first, sizeof first), CRYPTO_OK);
	assert_int_equal(secretfile_load_or_create(f->path, second, sizeof second), CRYPTO_OK);
	assert_memory_equal(first, second, sizeof first);
	assert_int_equal(secretfile_load_or_create(f->path, second, 16), CRYPTO_EFORMAT);
	assert_int_equal(secretfile_create(f->path, "x"), CRYPTO_EIO);
	assert_int_equal(errno, EEXIST);
	assert_int_equal(secretfile_load_or_create("/nonexistent/pepper", first, 32), CRYPTO_EIO);
	assert_int_equal(errno, ENOENT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sealed_opens_again_and_is_bound_to_row_and_purpose),
		cmocka_unit_test(values_sealed_elsewhere_open),
		cmocka_unit_test(rotation_seals_with_the_last_key_and_opens_with_all),
		cmocka_unit_test(malformed_key_files_are_refused),
		cmocka_unit_test_setup_teardown(key_file_is_made_once_for_its_owner_alone, make_folder, remove_folder),
		cmocka_unit_test_setup_teardown(secret_of_bytes_is_made_once, make_folder, remove_folder),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
