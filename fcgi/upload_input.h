/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Between upload.c and upload_input.c. */
#ifndef FCGI_UPLOAD_INPUT_H
#define FCGI_UPLOAD_INPUT_H

#include "common/limits.h"
#include "fcgi/form.h"
#include "fcgi/request.h"

struct upload {
	struct form form;
	int fds[LIMIT_RPC_DESCRIPTORS]; /* borrowed from the form's files: what goes to the daemon */
	size_t nfds;
	bool too_large;                 /* one of the files that were picked is */
};

/* Sets r->upload, without any file so far. upload.c */
void upload_begin(struct request *r, uint64_t file_limit);

#endif
