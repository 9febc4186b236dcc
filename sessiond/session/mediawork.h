/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Inside of media up- and downloads (media.h), on the session's loop. Private to sessiond/session.
 *
 *     media.c        life of a transfer, worker steps, what media_file is
 *     mediahosts.c   the servers: media_conn kept until it expires, addresses, which hosts are WhatsApp's
 *     mediaup.c      uploads
 *     mediadown.c    downloads, and the phone asked for what the servers have lost
 */
#ifndef SESSIOND_SESSION_MEDIAWORK_H
#define SESSIOND_SESSION_MEDIAWORK_H

#include "sessiond/crypto/mediacipher.h"
#include "sessiond/session/media.h"
#include "sessiond/session/object.h"
#include "sessiond/wa/media.h"

struct media_transfer {
	struct media_transfer *next, *prev; /* of the session's list */
	struct session *session;     /* borrowed; NULL: cancelled while a worker has it */
	struct session_loop *on;     /* borrowed */
	bool upload;
	media_done *done;
	void *arg;
	struct media_file file;      /* owned */
	uint64_t max_len;
	int plain_fd, blob_fd;       /* owned; -1: none */
	/* worker */
	struct media_cipher *cipher; /* owned */
	bool working;
	int step_result;
	void (*ciphered)(struct media_transfer *t, int result);
	/* servers */
	bool wants_conn;
	void (*conn_ready)(struct media_transfer *t);
	struct http_call *call;      /* owned; NULL: no request is under way */
	char *address;               /* owned: where a redirect leads */
	char host_name[264];         /* of the request under way */
	unsigned host, redirects, tries;
	bool refreshed;              /* a new media_conn was asked for because of a refusal */
	int status;                  /* of the last answer */
	uint64_t blob_len, resume_at;
	bool resume_asked;
	struct timer timer;
	/* the phone */
	char *message_id;            /* owned; NULL: the phone is not asked */
	struct jid chat, participant;
	bool from_me, phone_asked, waits_for_phone;
};

struct session_media {
	struct media_transfer *first; /* owned list */
	char *auth;                   /* owned; NULL: nothing known */
	char *hosts[WA_MEDIA_HOSTS_MAX]; /* owned */
	size_t nhosts;
	int64_t expires_ms;           /* monotonic */
	bool asking;
	uint64_t life;                /* of the client that was asked */
};

/* ---- media.c ---- */
/* Tells and frees. text NULL: the error's own. */
void media_finish(struct media_transfer *t, enum media_error error, const char *text);
/* Runs the transfer's cipher in slices on worker threads, then ciphered(). */
void media_run_cipher(struct media_transfer *t, void (*ciphered)(struct media_transfer *t, int result));
/* Goes on with fn at the loop's next turn, or later. */
void media_later(struct media_transfer *t, int64_t delay_ms, void (*fn)(void *arg));
/* Starts an HTTP request with what all of them have in common. */
void media_request(struct media_transfer *t, struct http_request *request, http_done *done);
/* Bytes of a hash as base64url without padding. */
void media_token(const uint8_t hash[32], char out[64]);

/* ---- mediahosts.c ---- */
/* Calls t->conn_ready when hosts are known or cannot be (session->media->nhosts 0). fresh: what is known is thrown away first. */
void media_want_conn(struct media_transfer *t, bool fresh, void (*conn_ready)(struct media_transfer *t));
void media_forget_conn(struct session_media *media);
/* The n-th host to try, NULL behind the last. Without an answer of the server the well-known one. */
const char *media_host(const struct session *session, unsigned n);
/* True if an https address leads to WhatsApp: a host of media_conn, or below whatsapp.net. */
bool media_address_allowed(const struct session *session, const char *url);
/* "/path?query" of an https address below whatsapp.net or of a known host; NULL otherwise. The caller frees. */
char *media_path_of(const struct session *session, const char *url);

/* ---- mediaup.c, mediadown.c ---- */
void media_upload_begin(void *transfer);
void media_download_begin(void *transfer);
/* The phone's answer, an event of the library. */
void media_on_retry(struct session *session, const struct wa_event *event);

#endif
