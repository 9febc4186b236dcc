/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Inside of media up- and downloads (transfer.h), on the session's loop. Private to sessiond/session.
 *
 *     transfer.c        life of a transfer, worker steps, what transfer_file is
 *     transferhosts.c   the servers: media_conn kept until it expires, addresses, which hosts are WhatsApp's
 *     transferup.c      uploads
 *     transferdown.c    downloads, and the phone asked for what the servers have lost
 *     transferdrop.c    blobs that nobody needs any more
 */
#ifndef SESSIOND_SESSION_TRANSFERWORK_H
#define SESSIOND_SESSION_TRANSFERWORK_H

#include "sessiond/crypto/mediacipher.h"
#include "sessiond/session/transfer.h"
#include "sessiond/session/object.h"
#include "sessiond/wa/media.h"

struct transfer {
	struct transfer *next, *prev; /* of the session's list */
	struct session *session;     /* borrowed; NULL: cancelled while a worker has it */
	struct session_loop *on;     /* borrowed */
	bool upload;
	transfer_done *done;
	void *arg;
	struct transfer_file file;      /* owned */
	uint64_t max_len;
	int plain_fd, blob_fd;       /* owned; -1: none */
	/* worker */
	struct media_cipher *cipher; /* owned */
	bool working;
	int step_result;
	void (*ciphered)(struct transfer *t, int result);
	/* servers */
	bool wants_conn;
	void (*conn_ready)(struct transfer *t);
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

struct transfers {
	struct transfer *first; /* owned list */
	char *auth;                   /* owned; NULL: nothing known */
	char *hosts[WA_MEDIA_HOSTS_MAX]; /* owned */
	size_t nhosts;
	int64_t expires_ms;           /* monotonic */
	bool asking;
	uint64_t life;                /* of the client that was asked */
};

/* ---- transfer.c ---- */
/* Tells and frees. text NULL: the error's own. */
void transfer_finish(struct transfer *t, enum transfer_error error, const char *text);
/* Runs the transfer's cipher in slices on worker threads, then ciphered(). */
void transfer_run_cipher(struct transfer *t, void (*ciphered)(struct transfer *t, int result));
/* Goes on with fn at the loop's next turn, or later. */
void transfer_later(struct transfer *t, int64_t delay_ms, void (*fn)(void *arg));
/* Starts an HTTP request with what all of them have in common. */
void transfer_request(struct transfer *t, struct http_request *request, http_done *done);
/* Bytes of a hash as base64url without padding. */
void transfer_token(const uint8_t hash[32], char out[64]);

/* ---- transferhosts.c ---- */
/* Calls t->conn_ready when hosts are known or cannot be (session->transfers->nhosts 0). fresh: what is known is thrown away first. */
void transfer_want_conn(struct transfer *t, bool fresh, void (*conn_ready)(struct transfer *t));
void transfer_forget_conn(struct transfers *media);
/* The n-th host to try, NULL behind the last. Without an answer of the server the well-known one. */
const char *transfer_host(const struct session *session, unsigned n);
/*
 * True if the answer leads to another address of WhatsApp's (a host of media_conn, or below whatsapp.net), and not for the sixth time: it is
 * in t->address then, and again() asks there at the loop's next turn.
 */
bool transfer_redirected(struct transfer *t, const struct http_answer *answer, void (*again)(void *arg));
/* "/path?query" of an https address below whatsapp.net or of a known host; NULL otherwise. The caller frees. */
char *transfer_path_of(const struct session *session, const char *url);

/* ---- transferup.c, transferdown.c, transferdrop.c ---- */
void transfer_upload_begin(void *transfer);
void transfer_download_begin(void *transfer);
void transfer_drop_begin(void *transfer);
/* The phone's answer, an event of the library. */
void transfer_on_retry(struct session *session, const struct wa_event *event);

#endif
