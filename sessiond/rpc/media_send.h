/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the routes that send files share. Main loop only. Private to sessiond/rpc. */
#ifndef SESSIOND_RPC_MEDIA_SEND_H
#define SESSIOND_RPC_MEDIA_SEND_H

#include "sessiond/rpc/media_input.h"
#include "sessiond/session/upload.h"
#include "sessiond/wa/media.h"

struct media_send;

struct media_send_route {
	const char *name, *label, *noun, *title;
	const char *stem;          /* of files without a name */
	int too_large_code;
	const char *invalid;
	/* Why the route does not take this file (415); NULL: it does. p: parameters of the route. NULL: it takes every one */
	const char *(*unfit)(const struct media_input *input, struct json_object *p, char *reason, size_t reason_len);
	bool (*judge)(struct media_send *s);  /* false: refused and gone */
	void (*extras)(struct media_send *s); /* members of advancedInfo */
};

/* What preparing a file for WhatsApp brought. */
struct media_prepared {
	int fd;                    /* owned; -1: the input goes as it is */
	char mime[64];             /* "": that of the input */
	uint32_t width, height, seconds;
	bool animated;
	uint8_t waveform[WA_WAVEFORM_LEN];
	bool has_waveform;
	struct buf thumbnail;      /* owned; JPEG */
};

struct media_send {
	struct rpc_request *request;
	const struct media_send_route *route;
	struct media_input input;
	struct media_prepared prepared;
	struct upload_job upload;
	struct wa_media media;     /* type, caption, file name, view once */
	const char *mime;          /* as sent; borrowed from the input, the preparation, or static */
	char *caption;             /* owned; NULL: none */
	char kind[64];             /* "image": of the status texts */
	bool channel;              /* the file goes up in the clear */
	struct buf extras;
};

enum media_prepare_error {
	MEDIA_PREPARE_OK = 0,
	MEDIA_PREPARE_CANNOT_CONVERT = -1 /* it would not play, and cannot be made to */
};

/* Makes the input of s fit for its type: fills s->prepared. done is called once, never from inside. media_prepare.c */
void media_prepare(struct media_send *s, void (*done)(void *arg, int error), void *arg);
void media_prepared_free(struct media_prepared *prepared);

/* ---- media_message.c ---- */

/* Appends the message: what media says, the uploaded file, what the preparation found out. */
void media_message(struct buf *out, const struct wa_media *media, const struct transfer_file *file, const char *mime, const struct media_prepared *prepared);
/* Member "compression" of advancedInfo when compression is on (rest-a 1.14). */
void media_put_compression(struct buf *out, const struct rpc_request *request);
/* True when compression is on for this request. */
bool media_compresses(const struct rpc_request *request);
/* True when an action asks for sound in a format of its choice, also for its voice notes (webhooks.md 8.2). */
bool media_wishes_sound(const struct rpc_request *request);
/* False, and the request answered, when it has no recipients, or channels beside others: channels take files in the clear. */
bool media_recipients(struct rpc_request *request, bool *channel);
/* True if a status is among the recipients. */
bool media_to_status(const struct rpc_request *request);
/* reason, which says that the administrator's list of types (input->allowed) lacks this one. */
const char *media_not_allowed(const struct media_input *input, char *reason, size_t reason_len);
/* Why this file is not passed on (rest-a 1.13); false: it may pass. */
bool media_blocked(const struct media_input *input, struct span head, char *reason, size_t reason_len);

/* ---- rpc_media.c: for those who keep a file until it is sent ---- */

enum { MEDIA_FAULT_MAX = 256 };
/* What that route will say of this file: 0, or status, code and text of its refusal. */
int media_send_fault(const char *method, const struct media_input *input, struct json_object *p, char text[MEDIA_FAULT_MAX], int *code);
/* The name of files without one; NULL: the method sends no file. */
const char *media_send_stem(const char *method);

/* ---- rpc_files.c ---- */
rpc_work rpc_send_files;

#endif
