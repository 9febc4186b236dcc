/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Uploading a file to WhatsApp's media servers, asked for on the main loop; the work is the session loop's (transfer.h). */
#ifndef SESSIOND_SESSION_UPLOAD_H
#define SESSIOND_SESSION_UPLOAD_H

#include "sessiond/session/session.h"
#include "sessiond/session/transfer.h"

struct upload_job {
	enum transfer_kind kind;
	int fd;                    /* borrowed until done */
	uint64_t max_len;
	bool plain;                /* not encrypted: for channels */
	enum transfer_error error; /* filled in */
	int status;                /* HTTP, filled in */
	struct transfer_file file; /* filled in without error; the job's owner frees it */
	void (*done)(struct upload_job *job); /* on the main loop */
	void *arg;
};

/* The job must live until done() was called. */
void sessions_upload(struct sessions *sessions, struct session_entry *entry, struct upload_job *job);

#endif
