/* SPDX-License-Identifier: GPL-3.0-or-later */
/* See dialcode.h. */
#include "sessiond/rpc/dialcode.h"

#include <ctype.h>
#include <stdbool.h>
#include <string.h>
#include <strings.h>

enum { NUMBER_MIN = 5, NUMBER_MAX = 15 };

static const struct {
	char iso[3];
	const char *code;
} countries[] = {
	{ "AE", "971" }, { "AR", "54" },  { "AU", "61" },  { "BD", "880" }, { "BE", "32" },  { "BR", "55" },  { "CA", "1" },   { "CL", "56" },
	{ "CN", "86" },  { "CO", "57" },  { "DE", "49" },  { "EG", "20" },  { "ES", "34" },  { "FR", "33" },  { "GB", "44" },  { "GH", "233" },
	{ "HK", "852" }, { "ID", "62" },  { "IN", "91" },  { "IT", "39" },  { "JP", "81" },  { "KE", "254" }, { "KH", "855" }, { "KR", "82" },
	{ "KW", "965" }, { "LA", "856" }, { "LK", "94" },  { "MM", "95" },  { "MX", "52" },  { "MY", "60" },  { "NL", "31" },  { "NP", "977" },
	{ "NZ", "64" },  { "PH", "63" },  { "PK", "92" },  { "QA", "974" }, { "RU", "7" },   { "SA", "966" }, { "SG", "65" },  { "TH", "66" },
	{ "TR", "90" },  { "TW", "886" }, { "UA", "380" }, { "UK", "44" },  { "US", "1" },   { "VN", "84" },  { "ZA", "27" },
};

/* Area codes of +1 that are Canada's. */
static const char canada[] =
	" 204 226 236 249 250 263 289 306 343 354 365 367 368 382 403 416 418 428 431 437 438 450 468 474 506 514 519 548 579 581 584 587 604 613 639 647 "
	"672 683 705 709 742 753 778 780 782 807 819 825 867 873 879 902 905 942 ";

const char *dialcode_of(const char *country, char room[static 5])
{
	const char *digits = country[0] == '+' ? country + 1 : country;
	size_t n = strspn(digits, "0123456789");

	if (n > 0 && n <= 4 && digits[n] == '\0') {
		memcpy(room, digits, n + 1);
		return room;
	}
	for (size_t i = 0; i < sizeof countries / sizeof *countries; i++)
		if (strcasecmp(country, countries[i].iso) == 0)
			return countries[i].code;
	return NULL;
}

static bool is_canadian(const char *digits)
{
	char area[6] = " ";

	if (strlen(digits) < 4)
		return false;
	memcpy(area + 1, digits + 1, 3);
	area[4] = ' ';
	return strstr(canada, area) != NULL;
}

const char *dialcode_country(const char *digits)
{
	if (digits[0] == '1')
		return is_canadian(digits) ? "CA" : "US";
	for (size_t n = 4; n > 0; n--) {
		for (size_t i = 0; i < sizeof countries / sizeof *countries; i++)
			if (strlen(countries[i].code) == n && strncmp(digits, countries[i].code, n) == 0)
				return countries[i].iso;
	}
	return NULL;
}

int dialcode_number(const char *text, const char *country, const char *default_code, char out[static 24])
{
	char digits[64] = "", room[5];
	const char *code = country && country[0] ? dialcode_of(country, room) : default_code;
	const char *plus = strchr(text, '+');
	const char *rest = digits;
	size_t n = 0;
	bool complete = plus != NULL;

	for (const char *c = text; *c && n < sizeof digits - 1; c++)
		if (isdigit((unsigned char)*c))
			digits[n++] = *c;
	digits[n] = '\0';
	if (!code || n == 0)
		return -1;
	if (!complete && strncmp(rest, "00", 2) == 0) {
		rest += 2;
		complete = true;
	}
	out[0] = '\0';
	if (rest[0] == '0' || (!complete && country && country[0] && strncmp(rest, code, strlen(code)) != 0)) {
		rest += strspn(rest, "0");
		memcpy(out, code, strlen(code) + 1);
	}
	n = strlen(rest);
	if (n == 0 || strlen(out) + n > NUMBER_MAX || strlen(out) + n < NUMBER_MIN)
		return -1;
	memcpy(out + strlen(out), rest, n + 1);
	return (int)strlen(out);
}
