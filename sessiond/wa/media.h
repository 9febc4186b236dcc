/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What the protocol says about media files: where the servers are, how the phone is asked to upload a file again, and the messages that
 * carry files. Public beside wa.h. The files themselves go over HTTP, which is the host's business.
 */
#ifndef SESSIOND_WA_MEDIA_H
#define SESSIOND_WA_MEDIA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/buf.h"
#include "common/jid.h"

struct wa_client;

/* ---- media servers ---- */

#define WA_MEDIA_HOSTS_MAX 8

/* The server's answer to <media_conn/>: hosts in the order in which they are to be tried. */
struct wa_media_conn {
	const char *auth;
	const char *hosts[WA_MEDIA_HOSTS_MAX]; /* "name" or "name:port" */
	size_t nhosts;
	int64_t ttl_s; /* the answer and its auth are good that long */
};

/* conn NULL: no answer, or one without hosts. Borrowed for the call. */
typedef void wa_media_conn_done(void *arg, const struct wa_media_conn *conn);
/* done is called once, never from inside this call; not at all when the client is freed before. */
void wa_client_media_conn(struct wa_client *client, wa_media_conn_done *done, void *arg);

/* ---- files that the servers have lost ---- */

struct wa_media_retry {
	const char *id;         /* of the message */
	struct jid chat;
	struct jid participant; /* author in groups; JID_SERVER_NONE in 1:1 */
	bool from_me;
	const uint8_t *key;     /* media key, 32 bytes */
};

/* Asks the account's phone to upload the file of a message again. Its answer is WA_EVENT_MEDIA_RETRY. False: not connected. */
bool wa_client_media_retry(struct wa_client *client, const struct wa_media_retry *retry);

enum wa_media_retry_result {
	WA_MEDIA_RETRY_ERROR = 0,      /* the phone could not */
	WA_MEDIA_RETRY_OK = 1,         /* path has the new direct path */
	WA_MEDIA_RETRY_NOT_FOUND = 2,  /* the phone has no copy */
	WA_MEDIA_RETRY_UNREADABLE = 3, /* the phone could not decrypt our request */
	WA_MEDIA_RETRY_FALSE = 4       /* the answer is not for this message, or forged */
};

/*
 * Opens the bytes of WA_EVENT_MEDIA_RETRY (iv and ciphertext) with the media key of that message. *path is borrowed from `scratch`,
 * which must outlive it.
 */
enum wa_media_retry_result wa_media_retry_open(const uint8_t key[32], const char *id, struct span bytes, struct buf *scratch, struct span *path);

/* ---- messages that carry a file ---- */

enum wa_media_type {
	WA_MEDIA_IMAGE = 1,
	WA_MEDIA_VIDEO,
	WA_MEDIA_GIF,     /* a silent MP4 that plays by itself */
	WA_MEDIA_PTV,     /* video note */
	WA_MEDIA_AUDIO,
	WA_MEDIA_PTT,     /* voice note */
	WA_MEDIA_DOCUMENT,
	WA_MEDIA_STICKER
};

#define WA_WAVEFORM_LEN 64

/* Texts may be NULL, numbers 0, spans empty: left out. */
struct wa_media {
	enum wa_media_type type;
	/* the uploaded file */
	const char *url, *direct_path, *mimetype;
	const uint8_t *key;        /* 32 bytes; NULL: not encrypted (channels) */
	const uint8_t *plain_hash; /* 32 bytes */
	const uint8_t *blob_hash;  /* 32 bytes */
	uint64_t length;
	int64_t key_time_s;
	/* how it looks and sounds */
	const char *caption;       /* image, video, document */
	const char *file_name, *title; /* document */
	uint32_t width, height, seconds, pages;
	bool animated;             /* sticker */
	struct span thumbnail;     /* JPEG, small: it is part of every copy; stickers: PNG */
	struct span waveform;      /* voice note: WA_WAVEFORM_LEN bytes of 0..100 */
	bool view_once;            /* image, video, audio: the flag inside; wa_add_context() wraps */
	int64_t sent_ms;           /* sticker */
	uint32_t background_argb;  /* voice note as a status; 0: not said */
};

/* Appends the serialized E2E Message, without context (build.h). */
void wa_build_media(struct buf *out, const struct wa_media *media);
#endif
