/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The output modes of the misc routes (contract rest-b 5.0): bytes that a route made, told in the answer or put into the storage. Main
 * loop only. Private to sessiond/rpc.
 *
 *     string    text (UTF-8)                meta {mode,mimeType,size}
 *     dataurl   data:<mime>;base64,...      likewise
 *     url       public address              likewise, and key, url
 *     file      storage key                 likewise, and key, url (signed)
 *     others    base64                      likewise, mode as it was given
 */
#ifndef SESSIOND_RPC_MISC_OUTPUT_H
#define SESSIOND_RPC_MISC_OUTPUT_H

#include "sessiond/rpc/request.h"

enum misc_output_error { MISC_OUTPUT_OK = 0, MISC_OUTPUT_TOO_LARGE = -1, MISC_OUTPUT_STORAGE = -2, MISC_OUTPUT_FILE = -3 };

/* data: JSON value, a text. meta: JSON object. Both borrowed for the call; NULL with an error. */
typedef void misc_output_done(void *arg, int error, const char *data, const char *meta);

struct misc_output {
	const char *mode;   /* as given */
	const char *mime;   /* of the bytes */
	int fd;             /* regular file, borrowed until done is called */
	int64_t from, size; /* which part of it */
	bool temporary;     /* url: told as such, deleted after WAREST_STORAGE_TEMP_TTL_SEC */
};

/* Calls done(arg, ...) once, at once or later. */
void misc_output_put(struct daemon *daemon, const struct misc_output *output, misc_output_done *done, void *arg);
/* Answers the request with what an error of it means. */
void misc_output_refuse(struct rpc_request *request, int error);

#endif
