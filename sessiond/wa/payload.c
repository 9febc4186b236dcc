/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * ClientPayload, see payload.h. Values: Baileys 7 (login: passive, so that the backlog waits for our <active/>), whatsmeow.
 * phoneId is left out on purpose: whatsapp-rust reports that a random one makes the server drop sessions.
 */
#include "sessiond/wa/payload.h"

#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "sessiond/wa/proto/payload.pb-c.h"
#include "sessiond/wa/proto_scan.h"

enum {
	PLATFORM_WEB = 14,
	RELEASE_CHANNEL_RELEASE = 0,
	WEB_SUB_PLATFORM_BROWSER = 0,
	CONNECT_TYPE_WIFI_UNKNOWN = 1,
	CONNECT_REASON_USER_ACTIVATED = 1,
	STORAGE_QUOTA_MB = 10240,
};

static const struct browser {
	const char *name;
	int platform_type;
	char client_type;
} browsers[] = {
	{ "Chrome", 1, '1' },
	{ "Edge", 6, '2' },
	{ "Firefox", 2, '3' },
	{ "IE", 3, '4' },
	{ "Opera", 4, '5' },
	{ "Safari", 5, '6' },
	{ "Desktop", 7, '7' },
};

static const struct browser *find_browser(const char *name)
{
	for (size_t i = 0; i < sizeof browsers / sizeof browsers[0]; i++)
		if (strcasecmp(browsers[i].name, name) == 0)
			return &browsers[i];
	return NULL;
}

int payload_platform_type(const char *browser_name)
{
	const struct browser *browser = find_browser(browser_name);

	return browser != NULL ? browser->platform_type : browsers[0].platform_type;
}

char payload_client_type(const char *browser_name)
{
	const struct browser *browser = find_browser(browser_name);

	return browser != NULL ? browser->client_type : '9';
}

void payload_platform_display(const struct wa_config *config, struct buf *out)
{
	static const char *const systems[] = { "Mac OS", "Windows", "Linux", "Android", "iOS" };
	const struct browser *browser = find_browser(config->browser_name);
	const char *system = systems[0];

	for (size_t i = 0; i < sizeof systems / sizeof systems[0]; i++)
		if (strcasecmp(systems[i], config->os_name) == 0)
			system = systems[i];
	/* "Desktop" is no browser. */
	if (browser == NULL || browser->client_type == '7')
		browser = &browsers[0];
	buf_printf(out, "%s (%s)", browser->name, system);
}

static int hash_version(const struct wa_version *version, uint8_t out[16])
{
	char text[40];
	unsigned n = 16;
	int len = snprintf(text, sizeof text, "%u.%u.%u", version->primary, version->secondary, version->tertiary);

	return EVP_Digest(text, (size_t)len, out, &n, EVP_md5(), NULL) == 1 ? 0 : -1;
}

static void write_device_props(const struct wa_config *config, struct buf *out)
{
	Wa__DeviceProps props = WA__DEVICE_PROPS__INIT;
	Wa__HistorySyncConfig history = WA__HISTORY_SYNC_CONFIG__INIT;
	Wa__AppVersion version = WA__APP_VERSION__INIT;

	version.has_primary = version.has_secondary = version.has_tertiary = 1;
	version.primary = 10;
	version.secondary = 15;
	version.tertiary = 7;
	if (config->history_days > 0) {
		history.has_full_sync_days_limit = history.has_recent_sync_days_limit = 1;
		history.full_sync_days_limit = history.recent_sync_days_limit = config->history_days;
	}
	history.has_storage_quota_mb = 1;
	history.storage_quota_mb = STORAGE_QUOTA_MB;
	history.has_inline_initial_payload = history.inline_initial_payload = 1;
	history.has_support_call_log_history = 1;
	history.has_support_bot_user_agent_chat_history = history.support_bot_user_agent_chat_history = 1;
	history.has_support_cag_reactions_and_polls = history.support_cag_reactions_and_polls = 1;
	history.has_support_biz_hosted_msg = history.support_biz_hosted_msg = 1;
	history.has_support_recent_sync_chunk_message_count_tuning = history.support_recent_sync_chunk_message_count_tuning = 1;
	history.has_support_hosted_group_msg = history.support_hosted_group_msg = 1;
	history.has_support_fbid_bot_chat_history = history.support_fbid_bot_chat_history = 1;
	history.has_support_message_association = history.support_message_association = 1;
	history.has_support_group_history = 1;
	props.os = (char *)(uintptr_t)config->os_name;
	props.version = &version;
	props.has_platform_type = 1;
	props.platform_type = payload_platform_type(config->browser_name);
	props.has_require_full_sync = 1;
	props.require_full_sync = config->full_history;
	props.history_sync_config = &history;
	proto_pack(out, &props.base);
}

struct registration {
	Wa__DevicePairingData data;
	uint8_t id[4], skey_id[3], type, build_hash[16];
	struct buf props;
};

static int fill_registration(struct registration *r, const struct wa_creds *creds, const struct wa_config *config)
{
	Wa__DevicePairingData *data = &r->data;

	wa__device_pairing_data__init(data);
	creds_registration_bytes(creds->registration_id, r->id);
	creds_id_bytes(creds->signed_prekey.id, r->skey_id);
	r->type = CURVE_TYPE;
	write_device_props(config, &r->props);
	data->has_registration_id = data->has_key_type = data->has_identity = data->has_skey_id = 1;
	data->has_skey_value = data->has_skey_signature = data->has_build_hash = data->has_device_props = 1;
	data->registration_id = proto_data(span_of(r->id, sizeof r->id));
	data->key_type = proto_data(span_of(&r->type, 1));
	data->identity = proto_data(span_of(creds->identity.public_key, CURVE_KEY_LEN));
	data->skey_id = proto_data(span_of(r->skey_id, sizeof r->skey_id));
	data->skey_value = proto_data(span_of(creds->signed_prekey.pair.public_key, CURVE_KEY_LEN));
	data->skey_signature = proto_data(span_of(creds->signed_prekey.signature, CURVE_SIGNATURE_LEN));
	data->build_hash = proto_data(span_of(r->build_hash, sizeof r->build_hash));
	data->device_props = proto_data(buf_span(&r->props));
	return hash_version(&config->version, r->build_hash);
}

/* The digits of the own phone number. -1 if they are none. */
static int phone_number(const struct jid *pn, uint64_t *out)
{
	uint64_t value = 0;

	for (const char *p = pn->user; *p != '\0'; p++)
		if (*p < '0' || *p > '9' || __builtin_mul_overflow(value, 10U, &value) ||
		    __builtin_add_overflow(value, (uint64_t)(*p - '0'), &value))
			return -1;
	*out = value;
	return value > 0 ? 0 : -1;
}

static void fill_user_agent(Wa__UserAgent *agent, Wa__AppVersion *version, const struct wa_config *config)
{
	wa__user_agent__init(agent);
	wa__app_version__init(version);
	version->has_primary = version->has_secondary = version->has_tertiary = 1;
	version->primary = config->version.primary;
	version->secondary = config->version.secondary;
	version->tertiary = config->version.tertiary;
	agent->has_platform = agent->has_release_channel = 1;
	agent->platform = PLATFORM_WEB;
	agent->release_channel = RELEASE_CHANNEL_RELEASE;
	agent->app_version = version;
	agent->mcc = agent->mnc = (char *)(uintptr_t)"000";
	agent->os_version = agent->os_build_number = (char *)(uintptr_t)"0.1";
	agent->manufacturer = (char *)(uintptr_t)"";
	agent->device = (char *)(uintptr_t)"Desktop";
	agent->locale_language = (char *)(uintptr_t)"en";
	agent->locale_country = (char *)(uintptr_t)"US";
}

int payload_write(const struct wa_creds *creds, const struct wa_config *config, struct buf *out)
{
	Wa__ClientPayload payload = WA__CLIENT_PAYLOAD__INIT;
	Wa__UserAgent agent;
	Wa__AppVersion version;
	Wa__WebInfo web = WA__WEB_INFO__INIT;
	struct registration registration = { 0 };
	int result;

	fill_user_agent(&agent, &version, config);
	web.has_web_sub_platform = 1;
	web.web_sub_platform = WEB_SUB_PLATFORM_BROWSER;
	payload.user_agent = &agent;
	payload.web_info = &web;
	payload.has_connect_type = payload.has_connect_reason = payload.has_passive = payload.has_pull = 1;
	payload.connect_type = CONNECT_TYPE_WIFI_UNKNOWN;
	payload.connect_reason = CONNECT_REASON_USER_ACTIVATED;
	if (creds_linked(creds)) {
		payload.passive = payload.pull = 1;
		payload.push_name = creds->push_name;
		payload.has_username = payload.has_device = payload.has_lid_db_migrated = payload.has_lc = 1;
		payload.device = creds->pn.device;
		payload.lc = (int32_t)(creds->login_count > 0 && creds->login_count < INT32_MAX ? creds->login_count : 1);
		result = phone_number(&creds->pn, &payload.username);
	} else {
		result = fill_registration(&registration, creds, config);
		payload.device_pairing_data = &registration.data;
	}
	if (result == 0)
		proto_pack(out, &payload.base);
	buf_free(&registration.props);
	return result;
}
