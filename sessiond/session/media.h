/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Files over WhatsApp's media servers, for what runs on a session's loop. Every byte passes through files, never whole through memory.
 *
 *     upload     from_fd --encrypt, hash (worker thread)--> nameless temp file --POST--> media host      -> struct media_file
 *     download   struct media_file --GET--> nameless temp file --check, decrypt (worker thread)--> to_fd
 *                     ^                \--403, 404, 410--> the phone is asked to upload it again (wa_client_media_retry)
 *                     +---- new path ----------------------------/
 *
 * Hosts are those of the server's media_conn answer, and *.whatsapp.net; never a host that a message names. The session's proxy is used.
 * Everything is called, and calls back, on the session's loop.
 */
#ifndef SESSIOND_SESSION_MEDIA_H
#define SESSIOND_SESSION_MEDIA_H

#include <stdbool.h>
#include <stdint.h>

#include "common/jid.h"

struct session;
struct media_transfer;

enum media_kind {
	MEDIA_IMAGE = 1, /* stickers too */
	MEDIA_VIDEO,     /* GIFs and video notes too */
	MEDIA_AUDIO,
	MEDIA_DOCUMENT,
	MEDIA_STICKER_PACK,
	MEDIA_LINK_THUMBNAIL,
	MEDIA_APP_STATE,
	MEDIA_HISTORY,
	MEDIA_KINDS
};

/* What a message says about its file. */
struct media_file {
	enum media_kind kind;
	char *direct_path;      /* owned; "/v/..." */
	char *url;              /* owned, may be NULL: its path is used where there is no direct path, its host only if it is WhatsApp's */
	char *handle;           /* owned, may be NULL: of an upload without encryption (channels) */
	bool encrypted;         /* false: no key, the blob is the file */
	uint8_t key[32];
	uint8_t plain_hash[32]; /* fileSha256 */
	uint8_t blob_hash[32];  /* fileEncSha256 */
	bool has_plain_hash, has_blob_hash;
	uint64_t length;        /* fileLength, 0 = not known (downloads: then max_len alone bounds it) */
	int64_t key_time_s;     /* mediaKeyTimestamp */
};

void media_file_init(struct media_file *file, enum media_kind kind);
/* Frees what it owns and wipes the key. */
void media_file_free(struct media_file *file);
/* Deep copy; to is overwritten. */
void media_file_copy(struct media_file *to, const struct media_file *from);

enum media_error {
	MEDIA_OK = 0,
	MEDIA_E_OFFLINE = -1,  /* not connected to WhatsApp */
	MEDIA_E_LOCAL = -2,    /* temp file, disk full */
	MEDIA_E_TOO_LARGE = -3,/* longer than allowed, or than the message says */
	MEDIA_E_NETWORK = -4,  /* no host could be reached, or they broke off */
	MEDIA_E_REFUSED = -5,  /* the hosts refused: status in media_result */
	MEDIA_E_GONE = -6,     /* the servers have lost it, and the phone too or it does not answer */
	MEDIA_E_FALSE = -7,    /* hash, MAC, padding or length does not fit */
	MEDIA_E_INVALID = -8   /* no usable path, no hash */
};

struct media_result {
	enum media_error error;
	int status;              /* HTTP status that decided, 0 = none */
	const char *text;        /* one line for people, "" without error; borrowed for the call */
	const struct media_file *file; /* upload: the new file; download: with the path that worked and the true length. Borrowed */
};

/* Called once, never from inside media_upload() and media_download(); the transfer is gone afterwards. */
typedef void media_done(void *arg, const struct media_result *result);

/*
 * Uploads what stands in from_fd (any seekable file; duplicated, the caller may close its own). max_len: larger files are
 * MEDIA_E_TOO_LARGE. encrypt false: for channels. The key is new for every upload.
 */
struct media_transfer *media_upload(struct session *session, enum media_kind kind, int from_fd, uint64_t max_len, bool encrypt,
				    media_done *done, void *arg);

/* Where the message stands: needed to ask the phone for a new upload. */
struct media_message {
	const char *id;
	struct jid chat;
	struct jid participant; /* author in groups and status; JID_SERVER_NONE in 1:1 */
	bool from_me;
};

/*
 * Downloads into to_fd (an empty, writable, seekable file; duplicated). Nothing in it may be used before done() said MEDIA_OK; after an
 * error it is empty. message NULL: the phone is not asked. file and message are copied.
 */
struct media_transfer *media_download(struct session *session, const struct media_file *file, const struct media_message *message, int to_fd,
				      uint64_t max_len, media_done *done, void *arg);

/* done will not be called. NULLs the pointer; NULL is fine. */
void media_cancel(struct media_transfer **transfer);
/* "offline", "too large", ... */
const char *media_error_name(enum media_error error);
/* The key derivation's text and the name in upload and download addresses. */
const char *media_kind_info(enum media_kind kind);
const char *media_kind_path(enum media_kind kind);

/* Every transfer of the session ends with MEDIA_E_OFFLINE. session.c */
void media_end_all(struct session *session);

/* A nameless file in this directory (the daemon's: WAREST_STATE_DIR); -1 with errno. Any thread. */
int media_temp_file(const char *dir);

#endif
