/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Files over WhatsApp's media servers, for what runs on a session's loop. Every byte passes through files, never whole through memory.
 *
 *     upload     from_fd --encrypt, hash (worker thread)--> nameless temp file --POST--> media host      -> struct transfer_file
 *     download   struct transfer_file --GET--> nameless temp file --check, decrypt (worker thread)--> to_fd
 *                     ^                \--403, 404, 410--> the phone is asked to upload it again (wa_client_media_retry)
 *                     +---- new path ----------------------------/
 *
 * Hosts are those of the server's media_conn answer, and *.whatsapp.net; never a host that a message names. The session's proxy is used.
 * Everything is called, and calls back, on the session's loop.
 */
#ifndef SESSIOND_SESSION_TRANSFER_H
#define SESSIOND_SESSION_TRANSFER_H

#include <stdbool.h>
#include <stdint.h>

#include "common/jid.h"

struct session;
struct transfer;

enum transfer_kind {
	TRANSFER_IMAGE = 1, /* stickers too */
	TRANSFER_VIDEO,     /* GIFs and video notes too */
	TRANSFER_AUDIO,
	TRANSFER_DOCUMENT,
	TRANSFER_STICKER_PACK,
	TRANSFER_LINK_THUMBNAIL,
	TRANSFER_APP_STATE,
	TRANSFER_HISTORY,
	TRANSFER_KINDS
};

/* What a message says about its file. */
struct transfer_file {
	enum transfer_kind kind;
	char *direct_path;      /* owned; "/v/..." */
	char *url;              /* owned, may be NULL: its path is used where there is no direct path, its host only if it is WhatsApp's */
	char *handle;           /* owned, may be NULL: of an upload without encryption (channels); encHandle of a history */
	bool encrypted;         /* false: no key, the blob is the file */
	uint8_t key[32];
	uint8_t plain_hash[32]; /* fileSha256 */
	uint8_t blob_hash[32];  /* fileEncSha256 */
	bool has_plain_hash, has_blob_hash;
	uint64_t length;        /* fileLength, 0 = not known (downloads: then max_len alone bounds it) */
	int64_t key_time_s;     /* mediaKeyTimestamp */
};

void transfer_file_init(struct transfer_file *file, enum transfer_kind kind);
/* Frees what it owns and wipes the key. */
void transfer_file_free(struct transfer_file *file);
/* Deep copy; to is overwritten. */
void transfer_file_copy(struct transfer_file *to, const struct transfer_file *from);

enum transfer_error {
	TRANSFER_OK = 0,
	TRANSFER_E_OFFLINE = -1,  /* not connected to WhatsApp */
	TRANSFER_E_LOCAL = -2,    /* temp file, disk full */
	TRANSFER_E_TOO_LARGE = -3,/* longer than allowed, or than the message says */
	TRANSFER_E_NETWORK = -4,  /* no host could be reached, or they broke off */
	TRANSFER_E_REFUSED = -5,  /* the hosts refused: status in transfer_result */
	TRANSFER_E_GONE = -6,     /* the servers have lost it, and the phone too or it does not answer */
	TRANSFER_E_FALSE = -7,    /* hash, MAC, padding or length does not fit */
	TRANSFER_E_INVALID = -8   /* no usable path, no hash */
};

struct transfer_result {
	enum transfer_error error;
	int status;              /* HTTP status that decided, 0 = none */
	const char *text;        /* one line for people, "" without error; borrowed for the call */
	const struct transfer_file *file; /* upload: the new file; download: with the path that worked and the true length. Borrowed */
};

/* Called once, never from inside transfer_upload() and transfer_download(); the transfer is gone afterwards. */
typedef void transfer_done(void *arg, const struct transfer_result *result);

/*
 * Uploads what stands in from_fd (any seekable file; duplicated, the caller may close its own). max_len: larger files are
 * TRANSFER_E_TOO_LARGE. encrypt false: for channels. The key is new for every upload.
 */
struct transfer *transfer_upload(struct session *session, enum transfer_kind kind, int from_fd, uint64_t max_len, bool encrypt,
				    transfer_done *done, void *arg);

/* Where the message stands: needed to ask the phone for a new upload. */
struct transfer_message {
	const char *id;
	struct jid chat;
	struct jid participant; /* author in groups and status; JID_SERVER_NONE in 1:1 */
	bool from_me;
};

/*
 * Downloads into to_fd (an empty, writable, seekable file; duplicated). Nothing in it may be used before done() said TRANSFER_OK; after an
 * error it is empty. message NULL: the phone is not asked. file and message are copied.
 */
struct transfer *transfer_download(struct session *session, const struct transfer_file *file, const struct transfer_message *message, int to_fd,
				      uint64_t max_len, transfer_done *done, void *arg);

/*
 * Tells the servers that a downloaded blob is not needed any more: once, and nobody is told what came of it. The file has a direct path and
 * the blob's hash; it is copied.
 */
void transfer_drop(struct session *session, const struct transfer_file *file);

/* done will not be called. NULLs the pointer; NULL is fine. */
void transfer_cancel(struct transfer **transfer);
/* "offline", "too large", ... */
const char *transfer_error_name(enum transfer_error error);
/* The key derivation's text and the name in upload and download addresses. */
const char *transfer_kind_info(enum transfer_kind kind);
const char *transfer_kind_path(enum transfer_kind kind);

/* Every transfer of the session ends with TRANSFER_E_OFFLINE. session.c */
void transfer_end_all(struct session *session);

/* A nameless file in this directory (the daemon's: WAREST_STATE_DIR); -1 with errno. Any thread. */
int transfer_temp_file(const char *dir);

#endif
