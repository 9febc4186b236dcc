/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What travels between the daemon and warest-media: one SOCK_SEQPACKET message each, both programs of one build.
 *
 *     daemon -> parent   struct wire_job  + descriptors [input, output if has_output]
 *     daemon -> parent   struct wire_cancel (the head alone)
 *     child  -> parent   struct mediajob_result through a pipe
 *     parent -> daemon   struct wire_result
 *
 * A child is foreign: wire_result_clean() makes anything it may write safe to read.
 */
#ifndef SESSIOND_MEDIA_WIRE_H
#define SESSIOND_MEDIA_WIRE_H

#include <sys/types.h>

#include "sessiond/media/media.h"

#define WIRE_MAGIC 0x57415201U

enum wire_type { WIRE_JOB = 1, WIRE_CANCEL = 2, WIRE_RESULT = 3 };

struct wire_head {
	uint32_t magic, type;
	uint64_t ticket;
};

struct wire_job {
	struct wire_head head;
	struct mediajob job; /* input and output mean nothing here */
	bool has_output;
};

struct wire_result {
	struct wire_head head;
	struct mediajob_result result;
};

/* The descriptor on which the worker finds its socket. */
enum { WIRE_SOCKET = 3 };

/* One message with up to two descriptors. 0, or -1 and errno. */
int wire_send(int socket, const void *message, size_t size, const int *fds, size_t nfds);
/* Bytes of one message, 0 at the end, -1 and errno. fds (room for 2) are -1 where none came; close-on-exec. */
ssize_t wire_receive(int socket, void *message, size_t size, int *fds, int flags);
/* Terminates texts, puts numbers into their bounds. */
void wire_result_clean(struct mediajob_result *result);
/* Puts what a job says into its bounds: the daemon's own mistakes must not confuse the worker. */
void wire_job_clean(struct mediajob *job);

#endif
