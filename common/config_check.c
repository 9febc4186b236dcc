/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Checks of single values of settings. */
#include "common/config_check.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/timefmt.h"

static bool only(const char *text, const char *allowed)
{
	return *text != '\0' && text[strspn(text, allowed)] == '\0';
}

static bool starts_with(const char *text, const char *start)
{
	return strncasecmp(text, start, strlen(start)) == 0;
}

/* scheme://host with a host that is not empty, no blanks. */
static bool is_absolute(const char *text, const char *const *schemes)
{
	for (; *schemes != NULL; schemes++) {
		size_t n = strlen(*schemes);

		if (starts_with(text, *schemes))
			return text[n] != '\0' && strchr("/?#:", text[n]) == NULL && text[strcspn(text, " \t\r\n\"<>")] == '\0';
	}
	return false;
}

static bool is_url(const char *text)
{
	return is_absolute(text, (const char *const[]){ "http://", "https://", NULL });
}

static bool is_websocket(const char *text)
{
	return is_absolute(text, (const char *const[]){ "ws://", "wss://", NULL });
}

static bool is_proxy(const char *text)
{
	if (strstr(text, "://") == NULL)
		return text[strcspn(text, " \t/\"<>")] == '\0';
	return is_absolute(text, (const char *const[]){ "http://", "https://", "socks5://", "socks5h://", NULL });
}

static bool is_country(const char *text)
{
	return only(text, "0123456789") && strlen(text) <= 4 && *text != '0';
}

static bool is_absolute_path(const char *text)
{
	return *text == '/';
}

static bool is_hex32(const char *text)
{
	return only(text, "0123456789abcdefABCDEF") && strlen(text) == 64;
}

static bool is_host_name(const char *text)
{
	return only(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_*");
}

static bool is_network(const char *text)
{
	char address[64];
	unsigned char bytes[16];
	const char *slash = strchr(text, '/');
	size_t n = slash == NULL ? strlen(text) : (size_t)(slash - text);
	bool v4;

	if (n >= sizeof address)
		return slash == NULL && is_host_name(text);
	memcpy(address, text, n);
	address[n] = '\0';
	v4 = inet_pton(AF_INET, address, bytes) == 1;
	if (!v4 && inet_pton(AF_INET6, address, bytes) != 1)
		return slash == NULL && is_host_name(text);
	if (slash == NULL)
		return true;
	return only(slash + 1, "0123456789") && strlen(slash + 1) <= 3 && strtol(slash + 1, NULL, 10) <= (v4 ? 32 : 128);
}

static bool is_connect_to(const char *text)
{
	int colons = 0;
	bool bracket = false;

	for (const char *p = text; *p != '\0'; p++) {
		if (*p == '[' || *p == ']')
			bracket = *p == '[';
		else if (*p == ':' && !bracket)
			colons++;
		else if (isspace((unsigned char)*p))
			return false;
	}
	return colons == 3;
}

static bool is_version(const char *text)
{
	int dots = 0;

	for (const char *p = text; *p != '\0'; p++) {
		if (*p == '.' && p != text && p[-1] != '.')
			dots++;
		else if (!isdigit((unsigned char)*p))
			return false;
	}
	return dots == 2 && isdigit((unsigned char)text[strlen(text) - 1]);
}

/* "22:00-07:00" */
static bool is_hours(const char *text)
{
	static const char form[] = "dd:dd-dd:dd";
	int hour[2];

	if (strlen(text) != sizeof form - 1)
		return false;
	for (size_t i = 0; form[i] != '\0'; i++)
		if (form[i] == 'd' ? !isdigit((unsigned char)text[i]) : text[i] != form[i])
			return false;
	for (size_t i = 0; i < 2; i++) {
		const char *at = text + 6 * i;

		hour[i] = ((at[0] - '0') * 10 + at[1] - '0') * 60 + (at[3] - '0') * 10 + at[4] - '0';
		if (at[3] > '5' || hour[i] > 24 * 60)
			return false;
	}
	return true;
}

static bool is_event(const char *text)
{
	static const char *const names[] = { "actions_done", "message_undecryptable", "message_receipt", "message_failed", "message_retry", "identity_changed",
		                             "account_timelock", "poll_vote", "event_response", "message_comment", "message_refused", "message_media",
		                             "group_join_request", "chat_update", "message_update", "contact_update", "label_update",
		                             "settings_update", "app_state_synced", "history_sync", "newsletter_update", "newsletter_message", "newsletter_post_update",
		                             "blocklist_update", "campaign_update", "campaign_progress", "campaign_done" };

	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
		if (strcmp(text, names[i]) == 0)
			return true;
	return false;
}

static const struct {
	bool (*good)(const char *text);
	const char *expected;
} checks[] = {
	[CHECK_ANY] = { NULL, NULL },
	[CHECK_URL] = { is_url, "must be an absolute http:// or https:// URL" },
	[CHECK_WEBSOCKET] = { is_websocket, "must be an absolute ws:// or wss:// URL" },
	[CHECK_PROXY] = { is_proxy, "must be http://, https://, socks5:// or socks5h:// URLs" },
	[CHECK_TIMEZONE] = { timefmt_zone_exists, "must be a name of the time zone database, such as Asia/Jakarta" },
	[CHECK_COUNTRY] = { is_country, "must be 1 to 4 digits, such as 62" },
	[CHECK_ABSOLUTE] = { is_absolute_path, "must be an absolute path" },
	[CHECK_NETWORK] = { is_network, "must be a list of private, loopback, linklocal, addresses, CIDR ranges or host names" },
	[CHECK_HEX32] = { is_hex32, "must be 64 hex digits" },
	[CHECK_CONNECT_TO] = { is_connect_to, "must be a list of HOST:PORT:HOST2:PORT2" },
	[CHECK_VERSION] = { is_version, "must be a version such as 2.3000.1023456789" },
	[CHECK_HOURS] = { is_hours, "must be HH:MM-HH:MM, such as 22:00-07:00" },
	[CHECK_EVENT] = { is_event, "must be a list of actions_done, message_undecryptable, message_receipt, message_failed, message_retry, identity_changed, account_timelock, poll_vote, event_response, message_comment, message_refused, message_media, chat_update, message_update, contact_update, label_update, settings_update, app_state_synced, history_sync, newsletter_update, newsletter_message, newsletter_post_update, campaign_update, campaign_progress, campaign_done" },
};

const char *config_check(enum config_check check, const char *value)
{
	if (*value == '\0' || checks[check].good == NULL || checks[check].good(value))
		return NULL;
	return checks[check].expected;
}
