/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Hex and base64 (RFC 4648) of binary values. */
#include "sessiond/crypto/crypto.h"

#include "common/base64.h"

void crypto_hex(const void *data, size_t len, char *out)
{
	static const char digits[] = "0123456789abcdef";
	const uint8_t *in = data;

	for (size_t i = 0; i < len; i++) {
		out[2 * i] = digits[in[i] >> 4];
		out[2 * i + 1] = digits[in[i] & 15];
	}
	out[2 * len] = '\0';
}

static int hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

int crypto_unhex(const char *text, size_t text_len, uint8_t *out, size_t out_len)
{
	if (text_len / 2 != out_len || text_len % 2 != 0)
		return CRYPTO_EFORMAT;
	for (size_t i = 0; i < out_len; i++) {
		int high = hex_value(text[2 * i]), low = hex_value(text[2 * i + 1]);

		if (high < 0 || low < 0)
			return CRYPTO_EFORMAT;
		out[i] = (uint8_t)(high << 4 | low);
	}
	return CRYPTO_OK;
}

static const char *base64_alphabet(enum crypto_base64 form)
{
	return form == CRYPTO_BASE64
	       ? "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
	       : "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
}

size_t crypto_base64(enum crypto_base64 form, const void *data, size_t len, char *out)
{
	const char *alphabet = base64_alphabet(form);
	const uint8_t *in = data;
	size_t at = 0;

	for (size_t i = 0; i < len; i += 3) {
		size_t have = len - i < 3 ? len - i : 3;
		uint32_t bits = (uint32_t)in[i] << 16;

		if (have > 1)
			bits |= (uint32_t)in[i + 1] << 8;
		if (have > 2)
			bits |= in[i + 2];
		for (size_t k = 0; k <= have; k++)
			out[at++] = alphabet[bits >> (18 - 6 * k) & 63];
		for (size_t k = have; k < 3 && form != CRYPTO_BASE64_URL_BARE; k++)
			out[at++] = '=';
	}
	out[at] = '\0';
	return at;
}

int crypto_unbase64(const char *text, size_t text_len, uint8_t *out, size_t *out_len)
{
	size_t len = text_len, at = 0;
	uint32_t bits = 0;

	if (len % 4 == 0 && len > 0 && text[len - 1] == '=') {
		len--;
		if (text[len - 1] == '=')
			len--;
	}
	if (len % 4 == 1)
		return CRYPTO_EFORMAT;
	for (size_t i = 0; i < len; i++) {
		int value = base64_value((uint8_t)text[i]);

		if (value < 0)
			return CRYPTO_EFORMAT;
		bits = bits << 6 | (uint32_t)value;
		if (i % 4 != 0)
			out[at++] = (uint8_t)(bits >> (6 - 2 * (i % 4)));
	}
	*out_len = at;
	return CRYPTO_OK;
}
