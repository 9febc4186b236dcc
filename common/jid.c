/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Reading, writing and comparing WhatsApp addresses. */
#include "common/jid.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

static const char *const server_names[JID_SERVER_COUNT] = {
	[JID_SERVER_NONE] = "",
	[JID_SERVER_PN] = "s.whatsapp.net",
	[JID_SERVER_LID] = "lid",
	[JID_SERVER_HOSTED] = "hosted",
	[JID_SERVER_HOSTED_LID] = "hosted.lid",
	[JID_SERVER_GROUP] = "g.us",
	[JID_SERVER_BROADCAST] = "broadcast",
	[JID_SERVER_NEWSLETTER] = "newsletter",
	[JID_SERVER_BOT] = "bot",
	[JID_SERVER_LEGACY] = "c.us",
	[JID_SERVER_CALL] = "call",
	[JID_SERVER_MESSENGER] = "msgr",
	[JID_SERVER_INTEROP] = "interop",
};

const char *jid_server_name(enum jid_server server)
{
	if (server < JID_SERVER_NONE || server >= JID_SERVER_COUNT)
		return "";
	return server_names[server];
}

enum jid_server jid_server_find(const char *name, size_t len)
{
	for (int i = JID_SERVER_NONE + 1; i < JID_SERVER_COUNT; i++) {
		if (strlen(server_names[i]) == len && strncasecmp(server_names[i], name, len) == 0)
			return (enum jid_server)i;
	}
	return JID_SERVER_NONE;
}

/* Reads all of text[0..len) as a decimal number up to max. */
static bool read_number(const char *text, size_t len, uint32_t max, uint32_t *out)
{
	uint32_t value = 0;

	if (len == 0 || len > 5)
		return false;
	for (size_t i = 0; i < len; i++) {
		if (text[i] < '0' || text[i] > '9')
			return false;
		value = value * 10 + (uint32_t)(text[i] - '0');
	}
	if (value > max)
		return false;
	*out = value;
	return true;
}

static bool user_is_clean(const char *user, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)user[i];
		if (c <= ' ' || c == 0x7f || c == '@' || c == ':')
			return false;
	}
	return true;
}

/* Cuts a trailing "_agent" or ".agent" off a phone number user. */
static size_t cut_agent(struct jid *out, const char *user, size_t len)
{
	uint32_t agent;

	for (size_t i = len; i-- > 1;) {
		if (user[i] != '_' && user[i] != '.')
			continue;
		if (!read_number(user + i + 1, len - i - 1, UINT8_MAX, &agent))
			return len;
		out->agent = (uint8_t)agent;
		return i;
	}
	return len;
}

/* Cuts "integrator-" off the front of a third-party user. */
static size_t cut_integrator(struct jid *out, const char *user, size_t len)
{
	uint32_t integrator;
	const char *dash = memchr(user, '-', len);

	if (dash == NULL || !read_number(user, (size_t)(dash - user), UINT16_MAX, &integrator))
		return 0;
	out->integrator = (uint16_t)integrator;
	return (size_t)(dash - user) + 1;
}

static int parse_parts(struct jid *out, const char *text, size_t len)
{
	const char *at = memchr(text, '@', len);
	size_t user_len;
	size_t skip = 0;
	uint32_t device;

	if (at == NULL) {
		out->server = jid_server_find(text, len);
		return out->server == JID_SERVER_NONE ? -1 : 0;
	}
	user_len = (size_t)(at - text);
	out->server = jid_server_find(at + 1, len - user_len - 1);
	if (out->server == JID_SERVER_NONE)
		return -1;

	const char *colon = memchr(text, ':', user_len);
	if (colon != NULL) {
		size_t digits = user_len - (size_t)(colon - text) - 1;
		if (!read_number(colon + 1, digits, UINT16_MAX, &device))
			return -1;
		out->device = (uint16_t)device;
		user_len = (size_t)(colon - text);
	}
	if (out->server == JID_SERVER_PN)
		user_len = cut_agent(out, text, user_len);
	else if (out->server == JID_SERVER_INTEROP)
		skip = cut_integrator(out, text, user_len);
	user_len -= skip;
	if (user_len > JID_USER_MAX || !user_is_clean(text + skip, user_len))
		return -1;
	memcpy(out->user, text + skip, user_len);
	return 0;
}

int jid_parse(struct jid *out, const char *text, size_t len)
{
	memset(out, 0, sizeof *out);
	if (text == NULL || len == 0 || parse_parts(out, text, len) != 0) {
		memset(out, 0, sizeof *out);
		return -1;
	}
	return 0;
}

int jid_parse_text(struct jid *out, const char *text)
{
	return jid_parse(out, text, text == NULL ? 0 : strlen(text));
}

int jid_make(struct jid *out, const char *user, size_t user_len, enum jid_server server, uint16_t device)
{
	memset(out, 0, sizeof *out);
	if (user_len > JID_USER_MAX || !user_is_clean(user, user_len) || server >= JID_SERVER_COUNT)
		return -1;
	out->server = server;
	out->device = device;
	memcpy(out->user, user, user_len);
	return 0;
}

const char *jid_format(const struct jid *jid, char *buf, size_t cap)
{
	char prefix[8] = "";
	char agent[8] = "";
	char device[8] = "";

	if (cap == 0)
		return buf;
	buf[0] = '\0';
	if (jid->server == JID_SERVER_NONE)
		return buf;
	if (jid->server == JID_SERVER_INTEROP)
		(void)snprintf(prefix, sizeof prefix, "%u-", (unsigned)jid->integrator);
	if (jid->agent != 0)
		(void)snprintf(agent, sizeof agent, "_%u", (unsigned)jid->agent);
	if (jid->device != 0)
		(void)snprintf(device, sizeof device, ":%u", (unsigned)jid->device);
	(void)snprintf(buf, cap, "%s%s%s%s@%s", prefix, jid->user, agent, device, jid_server_name(jid->server));
	return buf;
}

static enum jid_server canonical_server(enum jid_server server)
{
	return server == JID_SERVER_LEGACY ? JID_SERVER_PN : server;
}

struct jid jid_bare(const struct jid *jid)
{
	struct jid bare = *jid;

	bare.server = canonical_server(jid->server);
	bare.device = 0;
	bare.agent = 0;
	return bare;
}

struct jid jid_with_device(const struct jid *jid, uint16_t device)
{
	struct jid other = *jid;

	other.device = device;
	return other;
}

int jid_compare(const struct jid *a, const struct jid *b)
{
	int diff = (int)canonical_server(a->server) - (int)canonical_server(b->server);

	if (diff == 0)
		diff = strcmp(a->user, b->user);
	if (diff == 0)
		diff = (int)a->integrator - (int)b->integrator;
	if (diff == 0)
		diff = (int)a->agent - (int)b->agent;
	if (diff == 0)
		diff = (int)a->device - (int)b->device;
	return diff;
}

bool jid_equal(const struct jid *a, const struct jid *b)
{
	return jid_compare(a, b) == 0;
}

bool jid_same_user(const struct jid *a, const struct jid *b)
{
	return canonical_server(a->server) == canonical_server(b->server) && a->integrator == b->integrator &&
	       strcmp(a->user, b->user) == 0;
}

uint8_t jid_domain(const struct jid *jid)
{
	switch (jid->server) {
	case JID_SERVER_LID:
		return JID_DOMAIN_LID;
	case JID_SERVER_HOSTED:
		return JID_DOMAIN_HOSTED;
	case JID_SERVER_HOSTED_LID:
		return JID_DOMAIN_HOSTED_LID;
	case JID_SERVER_PN:
		return jid->agent;
	default:
		return JID_DOMAIN_PN;
	}
}

enum jid_server jid_server_of_domain(uint8_t domain)
{
	switch (domain) {
	case JID_DOMAIN_PN:
		return JID_SERVER_PN;
	case JID_DOMAIN_LID:
		return JID_SERVER_LID;
	case JID_DOMAIN_HOSTED_LID:
		return JID_SERVER_HOSTED_LID;
	default:
		return (domain & 0x81) == 0x80 ? JID_SERVER_HOSTED : JID_SERVER_NONE;
	}
}

const char *jid_signal_name(const struct jid *jid, char *buf, size_t cap)
{
	uint8_t domain = jid_domain(jid);

	if (domain == JID_DOMAIN_PN)
		(void)snprintf(buf, cap, "%s", jid->user);
	else
		(void)snprintf(buf, cap, "%s_%u", jid->user, (unsigned)domain);
	return buf;
}

bool jid_is_status(const struct jid *jid)
{
	return jid->server == JID_SERVER_BROADCAST && strcmp(jid->user, "status") == 0;
}
