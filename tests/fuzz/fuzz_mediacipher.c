/* SPDX-License-Identifier: GPL-3.0-or-later */
/* If this finds something, whoever serves or sends a file can end the daemon or slip in bytes that the sender did not encrypt. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "sessiond/crypto/mediacipher.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	static const uint8_t key[MEDIA_KEY_LEN] = { 1 };
	struct media_keys keys;
	struct media_cipher *cipher;
	int from, to, rc;

	if (len == 0 || media_keys_derive(&keys, key, "WhatsApp Image Keys"))
		return 0;
	from = memfd_create("from", MFD_CLOEXEC);
	to = memfd_create("to", MFD_CLOEXEC);
	if (from < 0 || to < 0 || pwrite(from, bytes + 1, len - 1, 0) != (ssize_t)(len - 1))
		abort();
	cipher = media_decryptor_new(&keys, from, to, (uint64_t)bytes[0] * 64, NULL, NULL);
	do
		rc = media_cipher_step(cipher, 1);
	while (rc == 1);
	/* Only the owner of the key makes a blob that passes. */
	if (lseek(to, 0, SEEK_END) != (rc == 0 ? (off_t)media_cipher_sums(cipher)->plain_len : 0))
		abort();
	media_cipher_free(&cipher);
	close(from);
	close(to);
	return 0;
}
