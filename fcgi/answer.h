/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What goes back to the client, before it has a shape: status, application code, text and the result as ready JSON bytes. The route's
 * envelope family gives it the shape (rest-a 1.3):
 *
 *     A       {"status":true,"code":1000,"message":"..","results":[..]}    errors results:[]
 *     A_NULL  the same, errors results:null
 *     S       {"status":true,"code":1000,"message":"..","result":{..}}     errors result:null
 *     BARE    a flat object; errors {"error":".."}
 */
#ifndef FCGI_ANSWER_H
#define FCGI_ANSWER_H

#include "common/buf.h"
#include "fcgi/route.h"

struct answer {
	int status;
	int code;
	const char *message;   /* borrowed */
	struct span result;    /* JSON, borrowed; empty: none */
	struct span failed;    /* JSON array, borrowed; empty: none */
	struct span bare;      /* a whole body that is sent as it is, borrowed; empty: none */
	const char *type;      /* of the body; NULL: JSON */
	int file;              /* owned: the body is read from this descriptor; -1: none */
	bool has_file;         /* the body is a file's, even if nothing of it is sent (HEAD) */
	bool result_file;      /* the file is not the body but the result in it */
	uint64_t file_length;  /* bytes of the file */
	bool has_cookie;
	struct span cookie;    /* the key to set, empty to clear; borrowed */
	struct buf headers;    /* owned: further header lines, each with CRLF */
};

void answer_init(struct answer *a);
void answer_free(struct answer *a);
/* Forgets everything but keeps the memory. */
void answer_clear(struct answer *a);
void answer_fault(struct answer *a, const struct fault *f);
void answer_set(struct answer *a, int status, int code, const char *message);
/* Name and value must hold no line ends; what does is left out. */
void answer_header(struct answer *a, const char *name, struct span value);

/* A body in three parts: text up to `at`, the middle, the rest of the text. The middle is `middle` or the answer's file, or nothing. */
struct rendered {
	struct buf *text;   /* borrowed */
	size_t at;
	struct span middle; /* borrowed: a big result that is sent as it came; else empty */
	uint64_t file;      /* bytes of the answer's file in the middle; 0: none */
};

/* Puts the body in the family's shape into `body`; a big result stays where it is. */
struct rendered answer_render(const struct answer *a, enum family family, struct buf *body);
const char *http_reason(int status);

#endif
