/* SPDX-License-Identifier: GPL-3.0-or-later */
/* ULIDs (github.com/ulid/spec). */
#include "common/ulid.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "common/timefmt.h"

static const char alphabet[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

enum { TIME_CHARACTERS = 10 };

void ulid_format(int64_t time_ms, const uint8_t random[ULID_RANDOM_BYTES], char out[ULID_LENGTH + 1])
{
	uint64_t time = (uint64_t)time_ms & 0xffffffffffffULL;
	unsigned bits = 0;
	uint32_t held = 0;
	size_t at = TIME_CHARACTERS;

	for (int i = TIME_CHARACTERS - 1; i >= 0; i--) {
		out[i] = alphabet[time & 31];
		time >>= 5;
	}
	for (size_t i = 0; i < ULID_RANDOM_BYTES; i++) {
		held = held << 8 | random[i];
		for (bits += 8; bits >= 5; bits -= 5)
			out[at++] = alphabet[held >> (bits - 5) & 31];
		held &= 0xff;
	}
	out[at] = '\0';
}

void ulid_new(char out[ULID_LENGTH + 1])
{
	uint8_t random[ULID_RANDOM_BYTES];
	ssize_t n;

	do {
		n = getrandom(random, sizeof random, 0);
	} while (n < 0 && errno == EINTR);
	/* Up to 256 bytes come whole once the source is seeded; without it nothing here is safe. */
	if (n != (ssize_t)sizeof random)
		abort();
	ulid_format(timefmt_now_ms(), random, out);
}

bool ulid_parse(const char *text, int64_t *time_ms)
{
	uint64_t time = 0;

	if (strlen(text) != ULID_LENGTH || text[0] > '7')
		return false;
	for (int i = 0; i < ULID_LENGTH; i++) {
		char c = text[i] >= 'a' && text[i] <= 'z' ? (char)(text[i] - 'a' + 'A') : text[i];
		const char *found = strchr(alphabet, c);

		if (found == NULL)
			return false;
		if (i < TIME_CHARACTERS)
			time = time << 5 | (uint64_t)(found - alphabet);
	}
	if (time_ms != NULL)
		*time_ms = (int64_t)time;
	return true;
}
