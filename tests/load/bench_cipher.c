/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What encrypting a file for WhatsApp's media servers costs, as one JSON object:
 *
 *     bench_cipher FILE       {"bytes","seconds","cpu_seconds","mb_per_second"}
 *
 * The blob goes into a nameless file beside it. Yardstick: openssl enc -aes-256-cbc | openssl dgst -sha256 (see media.js).
 */
#include <fcntl.h>
#include <inttypes.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "sessiond/crypto/mediacipher.h"

#define STEP_BYTES (UINT64_C(1) << 20)

static double seconds(clockid_t which)
{
	struct timespec t;

	clock_gettime(which, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* Positive if it could not be done. */
static int measure(int from, int to)
{
	uint8_t key[MEDIA_KEY_LEN];
	struct media_keys keys;
	struct media_cipher *cipher;
	double wall = seconds(CLOCK_MONOTONIC), cpu = seconds(CLOCK_PROCESS_CPUTIME_ID);
	int left = 1;

	if (crypto_random(key, sizeof key) != CRYPTO_OK || media_keys_derive(&keys, key, "WhatsApp Document Keys") != CRYPTO_OK)
		return 1;
	cipher = media_encryptor_new(&keys, from, to, UINT64_MAX / 2);
	while (cipher && left > 0)
		left = media_cipher_step(cipher, STEP_BYTES);
	wall = seconds(CLOCK_MONOTONIC) - wall;
	cpu = seconds(CLOCK_PROCESS_CPUTIME_ID) - cpu;
	if (cipher && left == 0) {
		uint64_t bytes = media_cipher_sums(cipher)->plain_len;

		printf("{\"bytes\":%" PRIu64 ",\"seconds\":%.2f,\"cpu_seconds\":%.2f,\"mb_per_second\":%.0f}\n", bytes, wall, cpu,
		       (double)bytes / 1e6 / wall);
	}
	media_cipher_free(&cipher);
	return left == 0 ? 0 : 1;
}

int main(int argc, char **argv)
{
	char folder[4096];
	int from, to, failed;

	if (argc != 2 || strlen(argv[1]) >= sizeof folder) {
		fprintf(stderr, "usage: bench_cipher FILE\n");
		return 2;
	}
	memcpy(folder, argv[1], strlen(argv[1]) + 1);
	from = open(argv[1], O_RDONLY | O_CLOEXEC);
	to = open(dirname(folder), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	failed = from < 0 || to < 0 || measure(from, to);
	if (failed)
		fprintf(stderr, "bench_cipher: %s cannot be encrypted\n", argv[1]);
	if (from >= 0)
		close(from);
	if (to >= 0)
		close(to);
	return failed ? 1 : 0;
}
