/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * WhatsApp addresses (JIDs): one typed form for everything that is compared, stored or sent.
 *
 *     user [_agent | .agent] [:device] @ server
 *     6281234567890          :17        s.whatsapp.net     a linked device of a phone number
 *     123456789012345                   lid                a hidden user id
 *     integrator-user        :device    interop            third-party user
 *
 * Device 0 is the phone itself and is not written. A JID with an empty user names the server
 * (text "@s.whatsapp.net"; "s.whatsapp.net" is read as the same thing).
 */
#ifndef COMMON_JID_H
#define COMMON_JID_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/limits.h"

enum jid_server {
	JID_SERVER_NONE = 0,
	JID_SERVER_PN,         /* s.whatsapp.net: user is a phone number */
	JID_SERVER_LID,        /* lid: user is a hidden id */
	JID_SERVER_HOSTED,     /* hosted: companion hosted by the service, addressed by phone number */
	JID_SERVER_HOSTED_LID, /* hosted.lid: the same, addressed by LID */
	JID_SERVER_GROUP,      /* g.us */
	JID_SERVER_BROADCAST,  /* broadcast: status@broadcast and broadcast lists */
	JID_SERVER_NEWSLETTER, /* newsletter: channels */
	JID_SERVER_BOT,        /* bot */
	JID_SERVER_LEGACY,     /* c.us: old spelling of s.whatsapp.net */
	JID_SERVER_CALL,       /* call */
	JID_SERVER_MESSENGER,  /* msgr */
	JID_SERVER_INTEROP,    /* interop */
	JID_SERVER_COUNT
};

enum {
	JID_USER_MAX = LIMIT_JID_USER, /* bytes of the user part, without the terminating NUL */
	JID_TEXT_MAX = 112,            /* room for any JID as text, with the terminating NUL */
	JID_SIGNAL_NAME_MAX = JID_USER_MAX + 5
};

/* Domain bytes of the binary AD_JID form and suffixes of Signal address names. */
enum { JID_DOMAIN_PN = 0, JID_DOMAIN_LID = 1, JID_DOMAIN_HOSTED = 128, JID_DOMAIN_HOSTED_LID = 129 };

struct jid {
	enum jid_server server;
	uint16_t device;     /* 0 = the primary device (phone) or no device given */
	uint16_t integrator; /* only with JID_SERVER_INTEROP */
	uint8_t agent;       /* old form "user_agent"; only with JID_SERVER_PN, normally 0 */
	char user[JID_USER_MAX + 1];
};

/* Reads `len` bytes of `text`. 0, or -1 when it is no JID of a known server (then *out is zeroed). Any thread. */
int jid_parse(struct jid *out, const char *text, size_t len);

/* The same for a NUL-terminated string; NULL is refused. */
int jid_parse_text(struct jid *out, const char *text);

/* Makes a JID of its parts. 0, or -1 when the user is too long or holds '@', ':' or a control character. */
int jid_make(struct jid *out, const char *user, size_t user_len, enum jid_server server, uint16_t device);

/* Writes the text form into buf (JID_TEXT_MAX bytes are always enough) and returns buf.
 * JID_SERVER_NONE gives the empty string. */
const char *jid_format(const struct jid *jid, char *buf, size_t cap);

/* The server's text ("s.whatsapp.net"), "" for NONE. Static. */
const char *jid_server_name(enum jid_server server);

/* The server of this text, any case; JID_SERVER_NONE when unknown. */
enum jid_server jid_server_find(const char *name, size_t len);

/* A copy without device and agent, with c.us turned into s.whatsapp.net and the hosted servers kept. */
struct jid jid_bare(const struct jid *jid);

/* A copy of the same user with another device. */
struct jid jid_with_device(const struct jid *jid, uint16_t device);

/* Everything equal, device and agent included; c.us equals s.whatsapp.net. */
bool jid_equal(const struct jid *a, const struct jid *b);

/* The same account or chat: user and server equal, device and agent ignored. */
bool jid_same_user(const struct jid *a, const struct jid *b);

/* Order for sorting and searching: server, user, agent, device. <0, 0, >0. */
int jid_compare(const struct jid *a, const struct jid *b);

/* Domain byte of the AD_JID form: 0 PN (or its agent), 1 LID, 128 hosted, 129 hosted LID; 0 for the rest. */
uint8_t jid_domain(const struct jid *jid);

/* The server of an AD_JID domain byte; other even bytes with bit 7 set are hosted, the rest is NONE.
 * Source: whatsapp-rust's reading of the domain byte. */
enum jid_server jid_server_of_domain(uint8_t domain);

/* Name of the Signal address of this JID: "user", "user_1" (LID), "user_128" (hosted), "user_129" (hosted LID).
 * The device id is the address's second part. Returns buf. cap >= JID_SIGNAL_NAME_MAX. */
const char *jid_signal_name(const struct jid *jid, char *buf, size_t cap);

static inline bool jid_is_none(const struct jid *jid)
{
	return jid->server == JID_SERVER_NONE;
}

/* A person's or device's address: phone number, LID or one of the hosted forms. */
static inline bool jid_is_person(const struct jid *jid)
{
	return jid->server == JID_SERVER_PN || jid->server == JID_SERVER_LID || jid->server == JID_SERVER_HOSTED ||
	       jid->server == JID_SERVER_HOSTED_LID || jid->server == JID_SERVER_LEGACY;
}

static inline bool jid_is_pn(const struct jid *jid)
{
	return jid->server == JID_SERVER_PN || jid->server == JID_SERVER_LEGACY;
}

static inline bool jid_is_lid(const struct jid *jid)
{
	return jid->server == JID_SERVER_LID;
}

static inline bool jid_is_group(const struct jid *jid)
{
	return jid->server == JID_SERVER_GROUP;
}

/* status@broadcast */
bool jid_is_status(const struct jid *jid);

#endif
