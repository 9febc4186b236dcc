/* SPDX-License-Identifier: GPL-3.0-or-later */
/* If this fails, nothing decrypts, passwords and webhook signatures are wrong, or forged bytes are accepted. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "sessiond/crypto/crypto.h"

static size_t bytes(const char *hex, uint8_t *out)
{
	size_t len = strlen(hex) / 2;

	assert_int_equal(crypto_unhex(hex, strlen(hex), out, len), CRYPTO_OK);
	return len;
}

static void expect_hex(const uint8_t *data, size_t len, const char *hex)
{
	char text[1024];

	assert_true(2 * len < sizeof text);
	crypto_hex(data, len, text);
	assert_string_equal(text, hex);
}

static void digests_match_fips_180(void **state)
{
	uint8_t out[CRYPTO_HASH_MAX];

	(void)state;
	assert_int_equal(crypto_sha1("abc", 3, out), CRYPTO_OK);
	expect_hex(out, 20, "a9993e364706816aba3e25717850c26c9cd0d89d");
	assert_int_equal(crypto_sha256("abc", 3, out), CRYPTO_OK);
	expect_hex(out, 32, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
	assert_int_equal(crypto_sha256(NULL, 0, out), CRYPTO_OK);
	expect_hex(out, 32, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
	assert_int_equal(crypto_hash_len(CRYPTO_SHA384), 48);
}

/* RFC 4231, test case 2 */
static void hmac_matches_rfc_4231(void **state)
{
	static const char text[] = "what do ya want for nothing?";
	static const struct {
		enum crypto_hash hash;
		const char *mac;
	} cases[] = {
		{CRYPTO_SHA224, "a30e01098bc6dbbf45690f3a7e9e6d0f8bbea2a39e6148008fd05e44"},
		{CRYPTO_SHA256, "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"},
		{CRYPTO_SHA384, "af45d2e376484031617f78d2b58a6b1b9c7ef464f5a01b47e42ec3736322445e"
		                "8e2240ca5e69e2c78b3239ecfab21649"},
		{CRYPTO_SHA512, "164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7ea250554"
		                "9758bf75c05a994a6d034f65f8f0e6fdcaeab1a34d4a6b4b636e070a38bce737"},
	};
	uint8_t out[CRYPTO_HASH_MAX];

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		assert_int_equal(crypto_hmac(cases[i].hash, "Jefe", 4, text, strlen(text), out), CRYPTO_OK);
		expect_hex(out, crypto_hash_len(cases[i].hash), cases[i].mac);
	}
	assert_int_equal(crypto_hmac(CRYPTO_SHA256, NULL, 0, "", 0, out), CRYPTO_OK);
	expect_hex(out, 32, "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad");
}

/* RFC 5869, A.1, A.2 (first bytes) and A.3 */
static void hkdf_matches_rfc_5869(void **state)
{
	uint8_t ikm[80], salt[80], info[80], okm[82];
	size_t ikm_len = bytes("0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b", ikm);
	size_t salt_len = bytes("000102030405060708090a0b0c", salt);
	size_t info_len = bytes("f0f1f2f3f4f5f6f7f8f9", info);

	(void)state;
	assert_int_equal(crypto_hkdf_sha256(ikm, ikm_len, salt, salt_len, info, info_len, okm, 42), CRYPTO_OK);
	expect_hex(okm, 42, "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865");
	assert_int_equal(crypto_hkdf_sha256(ikm, ikm_len, NULL, 0, NULL, 0, okm, 42), CRYPTO_OK);
	expect_hex(okm, 42, "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8");
	for (unsigned i = 0; i < 80; i++) {
		ikm[i] = (uint8_t)i;
		salt[i] = (uint8_t)(0x60 + i);
		info[i] = (uint8_t)(0xb0 + i);
	}
	assert_int_equal(crypto_hkdf_sha256(ikm, 80, salt, 80, info, 80, okm, 82), CRYPTO_OK);
	expect_hex(okm, 82, "b11e398dc80327a1c8e7f78c596a49344f012eda2d4efad8a050cc4c19afa97c59045a99cac7827271cb41c6"
	                    "5e590e09da3275600c2f09b8367793a9aca3db71cc30c58179ec3e87c14c01d5c1f3434f1d87");
	assert_int_equal(crypto_hkdf_sha256(ikm, 80, salt, 80, info, 257, okm, 82), CRYPTO_EARG);
	assert_int_equal(crypto_hkdf_sha256(ikm, 80, salt, 80, info, 80, okm, 255 * 32 + 1), CRYPTO_EARG);
}

/* McGrew and Viega, GCM test case 16 */
static void gcm_matches_and_refuses_changes(void **state)
{
	uint8_t key[32], iv[12], aad[20], plain[60], sealed[76], opened[60];

	(void)state;
	bytes("feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308", key);
	bytes("cafebabefacedbaddecaf888", iv);
	bytes("feedfacedeadbeeffeedfacedeadbeefabaddad2", aad);
	bytes("d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a721c3c0c95956809532fcf0e2449a6b5"
	      "25b16aedf5aa0de657ba637b39", plain);
	assert_int_equal(crypto_aes_gcm_seal(key, iv, aad, sizeof aad, plain, sizeof plain, sealed), CRYPTO_OK);
	expect_hex(sealed, sizeof sealed,
	           "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa8cb08e48590dbb3da7b08b1056828838"
	           "c5f61e6393ba7a0abcc9f66276fc6ece0f4e1768cddf8853bb2d551b");
	assert_int_equal(crypto_aes_gcm_open(key, iv, aad, sizeof aad, sealed, sizeof sealed, opened), CRYPTO_OK);
	assert_memory_equal(opened, plain, sizeof plain);
	for (size_t i = 0; i < sizeof sealed; i++) {
		sealed[i] ^= 1;
		assert_int_equal(crypto_aes_gcm_open(key, iv, aad, sizeof aad, sealed, sizeof sealed, opened), CRYPTO_EAUTH);
		sealed[i] ^= 1;
	}
	aad[0] ^= 1;
	assert_int_equal(crypto_aes_gcm_open(key, iv, aad, sizeof aad, sealed, sizeof sealed, opened), CRYPTO_EAUTH);
	assert_int_equal(crypto_aes_gcm_open(key, iv, NULL, 0, sealed, 15, opened), CRYPTO_EAUTH);
}

static void gcm_takes_empty_text_and_works_in_place(void **state)
{
	uint8_t key[32] = {0}, iv[12] = {0}, area[32] = "sixteen bytes...";

	(void)state;
	assert_int_equal(crypto_aes_gcm_seal(key, iv, NULL, 0, NULL, 0, area + 16), CRYPTO_OK);
	expect_hex(area + 16, 16, "530f8afbc74536b9a963b4f1c4cb738b");
	assert_int_equal(crypto_aes_gcm_open(key, iv, NULL, 0, area + 16, 16, area + 16), CRYPTO_OK);
	assert_int_equal(crypto_aes_gcm_seal(key, iv, NULL, 0, area, 16, area), CRYPTO_OK);
	assert_int_equal(crypto_aes_gcm_open(key, iv, NULL, 0, area, 32, area), CRYPTO_OK);
	assert_memory_equal(area, "sixteen bytes...", 16);
}

/* NIST SP 800-38A F.5.5, F.2.5 */
static void ctr_and_cbc_match_sp_800_38a(void **state)
{
	uint8_t key[32], iv[16], plain[64], out[80], back[80];
	size_t len = 0;

	(void)state;
	bytes("603deb1015ca71be2b73aef0857d77811f352c073b6108d72d9810a30914dff4", key);
	bytes("f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff", iv);
	bytes("6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e5130c81c46a35ce411e5fbc1191a0a52ef"
	      "f69f2445df4f9b17ad2b417be66c3710", plain);
	assert_int_equal(crypto_aes_ctr(key, 32, iv, plain, 64, out), CRYPTO_OK);
	expect_hex(out, 32, "601ec313775789a5b7a7f504bbf3d228f443e3ca4d62b59aca84e990cacaf5c5");
	assert_int_equal(crypto_aes_ctr(key, 31, iv, plain, 64, out), CRYPTO_EARG);
	bytes("000102030405060708090a0b0c0d0e0f", iv);
	assert_int_equal(crypto_aes_cbc_encrypt(key, 32, iv, plain, 64, out), CRYPTO_OK);
	expect_hex(out, 32, "f58c4c04d6e5f1ba779eabfb5f7bfbd69cfc4e967edb808d679f777bc6702c7d");
	assert_int_equal(CRYPTO_CBC_LEN(64), 80);
	assert_int_equal(crypto_aes_cbc_decrypt(key, 32, iv, out, 80, back, &len), CRYPTO_OK);
	assert_int_equal(len, 64);
	assert_memory_equal(back, plain, 64);
	assert_int_equal(crypto_aes_cbc_decrypt(key, 32, iv, out, 64, back, &len), CRYPTO_EAUTH);
	assert_int_equal(crypto_aes_cbc_decrypt(key, 32, iv, out, 63, back, &len), CRYPTO_EAUTH);
	assert_int_equal(crypto_aes_cbc_decrypt(key, 32, iv, out, 0, back, &len), CRYPTO_EAUTH);
}

/* RFC 7914 12 (second vector), and the PBKDF2 vector of its section 11 */
static void slow_derivations_match_rfc_7914(void **state)
{
	uint8_t out[64];

	(void)state;
	assert_int_equal(crypto_scrypt("password", 8, "NaCl", 4, 1024, 8, 16, out, 64), CRYPTO_OK);
	expect_hex(out, 64, "fdbabe1c9d3472007856e7190d01e9fe7c6ad7cbc8237830e77376634b3731622eaf30d92e22a3886ff109279d9830da"
	                    "c727afb94a83ee6d8360cbdfa2cc0640");
	assert_int_equal(crypto_pbkdf2_sha256("passwd", 6, "salt", 4, 1, out, 64), CRYPTO_OK);
	expect_hex(out, 64, "55ac046e56e3089fec1691c22544b605f94185216dde0465e68b9d57c20dacbc49ca9cccf179b645991664b39d77ef31"
	                    "7c71b845b1e30bd509112041d3a19783");
}

static void passwords_of_the_original_verify(void **state)
{
	static const char stored[] = "scrypt:000102030405060708090a0b0c0d0e0f:"
	                             "25b376840366f4d3b0e21e414476676e3cd0e89af4430356a234ce0b65a021b5"
	                             "6233e7b0b24f07bc9340195f19c90a1da7562514ed0762a6dae3c27ff5b07d62";
	char fresh[CRYPTO_PASSWORD_LEN], other[CRYPTO_PASSWORD_LEN];

	(void)state;
	assert_int_equal(crypto_password_verify(stored, "correct horse"), 1);
	assert_int_equal(crypto_password_verify(stored, "correct horsf"), 0);
	assert_int_equal(crypto_password_verify(NULL, "correct horse"), 0);
	assert_int_equal(crypto_password_verify("plain", "plain"), CRYPTO_EFORMAT);
	/* A shortened hash must not be easier to hit. */
	assert_int_equal(crypto_password_verify("scrypt:0001:25b3", "correct horse"), CRYPTO_EFORMAT);
	assert_int_equal(crypto_password_verify("scrypt::25b3", "correct horse"), CRYPTO_EFORMAT);
	assert_int_equal(crypto_password_hash("Pa\xc3\x9fwort", fresh), CRYPTO_OK);
	assert_int_equal(crypto_password_hash("Pa\xc3\x9fwort", other), CRYPTO_OK);
	assert_string_not_equal(fresh, other);
	assert_int_equal(strlen(fresh), CRYPTO_PASSWORD_LEN - 1);
	assert_int_equal(crypto_password_verify(fresh, "Pa\xc3\x9fwort"), 1);
}

/* RFC 4648 10 */
static void base64_matches_rfc_4648(void **state)
{
	static const struct {
		const char *plain, *text;
	} cases[] = {{"", ""}, {"f", "Zg=="}, {"fo", "Zm8="}, {"foo", "Zm9v"},
	             {"foob", "Zm9vYg=="}, {"fooba", "Zm9vYmE="}, {"foobar", "Zm9vYmFy"}};
	static const char *const wrong[] = {"Z", "Zg=", "Zg===", "Z===", "=", "Zm 9v", "Zm9v!", "Zm=v"};
	char text[CRYPTO_BASE64_ROOM(8)];
	uint8_t out[16];
	size_t len;

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		assert_int_equal(crypto_base64(CRYPTO_BASE64, cases[i].plain, strlen(cases[i].plain), text),
		                 strlen(cases[i].text));
		assert_string_equal(text, cases[i].text);
		assert_int_equal(crypto_unbase64(text, strlen(text), out, &len), CRYPTO_OK);
		assert_int_equal(len, strlen(cases[i].plain));
		assert_memory_equal(out, cases[i].plain, len);
	}
	assert_int_equal(crypto_base64(CRYPTO_BASE64_URL_BARE, "\xfb\xff", 2, text), 3);
	assert_string_equal(text, "-_8");
	assert_int_equal(crypto_unbase64("-_8", 3, out, &len), CRYPTO_OK);
	assert_int_equal(len, 2);
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
		assert_int_equal(crypto_unbase64(wrong[i], strlen(wrong[i]), out, &len), CRYPTO_EFORMAT);
}

static void hex_is_strict(void **state)
{
	uint8_t out[4];

	(void)state;
	assert_int_equal(crypto_unhex("00fFa9", 6, out, 3), CRYPTO_OK);
	assert_memory_equal(out, "\x00\xff\xa9", 3);
	assert_int_equal(crypto_unhex("00ff", 4, out, 3), CRYPTO_EFORMAT);
	assert_int_equal(crypto_unhex("00f", 3, out, 1), CRYPTO_EFORMAT);
	assert_int_equal(crypto_unhex("0g", 2, out, 1), CRYPTO_EFORMAT);
}

static void random_and_comparison(void **state)
{
	uint8_t a[32], b[32];

	(void)state;
	assert_int_equal(crypto_random(a, sizeof a), CRYPTO_OK);
	memcpy(b, a, sizeof a);
	assert_true(crypto_equal(a, b, sizeof a));
	assert_int_equal(crypto_random(b, sizeof b), CRYPTO_OK);
	assert_false(crypto_equal(a, b, sizeof a));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(digests_match_fips_180),
		cmocka_unit_test(hmac_matches_rfc_4231),
		cmocka_unit_test(hkdf_matches_rfc_5869),
		cmocka_unit_test(gcm_matches_and_refuses_changes),
		cmocka_unit_test(gcm_takes_empty_text_and_works_in_place),
		cmocka_unit_test(ctr_and_cbc_match_sp_800_38a),
		cmocka_unit_test(slow_derivations_match_rfc_7914),
		cmocka_unit_test(passwords_of_the_original_verify),
		cmocka_unit_test(base64_matches_rfc_4648),
		cmocka_unit_test(hex_is_strict),
		cmocka_unit_test(random_and_comparison),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
