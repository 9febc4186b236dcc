/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The HTTP part of a WebSocket's opening (see upgrade.h). */
#include "sessiond/net/upgrade.h"

#include <errno.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <stdbool.h>
#include <string.h>
#include <strings.h>

/* RFC 6455 1.3 */
#define ACCEPT_GUID "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"

int upgrade_key(char key[UPGRADE_KEY_SIZE])
{
	uint8_t random[16];

	if (RAND_bytes(random, sizeof(random)) != 1)
		return -1;
	EVP_EncodeBlock((unsigned char *)key, random, sizeof(random));
	return 0;
}

void upgrade_accept(const char *key, char accept[29])
{
	uint8_t digest[EVP_MAX_MD_SIZE] = { 0 };
	unsigned digest_len = 0;
	struct buf text = { 0 };

	buf_append_text(&text, key);
	buf_append_text(&text, ACCEPT_GUID);
	EVP_Digest(text.data, text.len, digest, &digest_len, EVP_sha1(), NULL);
	EVP_EncodeBlock((unsigned char *)accept, digest, 20);
	buf_free(&text);
}

static bool has_control(const char *text)
{
	for (; *text; text++)
		if ((unsigned char)*text <= ' ' || *text == 0x7f)
			return true;
	return false;
}

int upgrade_request(struct buf *to, const char *host, const char *target, const char *origin, const char *key)
{
	if (has_control(host) || has_control(target) || (origin && has_control(origin)))
		return -EINVAL;
	buf_printf(to, "GET %s HTTP/1.1\r\nHost: %s\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n", target, host);
	buf_printf(to, "Sec-WebSocket-Key: %s\r\nSec-WebSocket-Version: 13\r\n", key);
	if (origin)
		buf_printf(to, "Origin: %s\r\n", origin);
	buf_append_text(to, "\r\n");
	return 0;
}

/* "HTTP/1.1 101 ..." -> 101; -1 if it is no status line. */
static int status_of(const char *line, size_t len)
{
	int status = 0;

	if (len < 12 || memcmp(line, "HTTP/1.", 7) != 0 || line[8] != ' ' || (len > 12 && line[12] != ' '))
		return -1;
	for (size_t i = 9; i < 12; i++) {
		if (line[i] < '0' || line[i] > '9')
			return -1;
		status = status * 10 + (line[i] - '0');
	}
	return status;
}

static void trim(const char **text, size_t *len)
{
	while (*len > 0 && (**text == ' ' || **text == '\t')) {
		(*text)++;
		(*len)--;
	}
	while (*len > 0 && ((*text)[*len - 1] == ' ' || (*text)[*len - 1] == '\t'))
		(*len)--;
}

static bool equals_nocase(const char *text, size_t len, const char *word)
{
	return len == strlen(word) && strncasecmp(text, word, len) == 0;
}

/* True if word is one of the items of a comma list. */
static bool list_has(const char *text, size_t len, const char *word)
{
	while (len > 0) {
		const char *comma = memchr(text, ',', len);
		size_t item_len = comma ? (size_t)(comma - text) : len;
		const char *item = text;
		size_t trimmed = item_len;

		trim(&item, &trimmed);
		if (equals_nocase(item, trimmed, word))
			return true;
		if (!comma)
			break;
		text += item_len + 1;
		len -= item_len + 1;
	}
	return false;
}

struct answer {
	bool upgrade, connection, accept, forbidden;
};

static void take_header(struct answer *answer, const char *line, size_t len, const char *accept)
{
	const char *colon = memchr(line, ':', len);
	const char *value;
	size_t name_len, value_len;

	if (!colon)
		return;
	name_len = (size_t)(colon - line);
	value = colon + 1;
	value_len = len - name_len - 1;
	trim(&value, &value_len);
	if (equals_nocase(line, name_len, "Upgrade"))
		answer->upgrade = equals_nocase(value, value_len, "websocket");
	else if (equals_nocase(line, name_len, "Connection"))
		answer->connection |= list_has(value, value_len, "upgrade");
	else if (equals_nocase(line, name_len, "Sec-WebSocket-Accept"))
		answer->accept = value_len == strlen(accept) && memcmp(value, accept, value_len) == 0;
	else if (equals_nocase(line, name_len, "Sec-WebSocket-Extensions") ||
	         equals_nocase(line, name_len, "Sec-WebSocket-Protocol"))
		/* We offered none, so none may be chosen (RFC 6455 4.1, points 5 and 6). */
		answer->forbidden |= value_len > 0;
}

enum upgrade_result upgrade_response(const uint8_t *bytes, size_t len, const char *key, size_t *head_len, int *status)
{
	const char *text = (const char *)bytes;
	size_t bounded = len > UPGRADE_HEAD_MAX ? UPGRADE_HEAD_MAX : len;
	const char *end = memmem(text, bounded, "\r\n\r\n", 4);
	struct answer answer = { 0 };
	char accept[29];
	bool first = true;

	*head_len = 0;
	*status = 0;
	if (!end)
		return len >= UPGRADE_HEAD_MAX ? UPGRADE_BROKEN : UPGRADE_MORE;
	upgrade_accept(key, accept);
	for (const char *line = text; line <= end;) {
		const char *stop = memmem(line, (size_t)(end + 2 - line), "\r\n", 2);
		size_t line_len = (size_t)(stop - line);

		if (first) {
			*status = status_of(line, line_len);
			if (*status < 0) {
				*status = 0;
				return UPGRADE_BROKEN;
			}
		} else {
			take_header(&answer, line, line_len, accept);
		}
		first = false;
		line = stop + 2;
	}
	*head_len = (size_t)(end - text) + 4;
	if (*status != 101)
		return UPGRADE_REFUSED;
	return answer.upgrade && answer.connection && answer.accept && !answer.forbidden ? UPGRADE_DONE : UPGRADE_BROKEN;
}
