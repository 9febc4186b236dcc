/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * JSON bodies that carry files: what is large and binary is cut out while the body arrives, so that only the rest is ever in memory.
 *
 *     {"to":"628..","file":"data:image/png;base64,iVBORw0KGgo...4 MB...","raw":[137,80,78,71,...]}
 *       ->  {"to":"628..","file":"\u0001cut:0","raw":"\u0001cut:1"}      and files[0], files[1] of the form, decoded
 *
 * A string becomes a file when it is longer than JSON_CUT_TEXT and begins like a data URI or base64 (either alphabet, blanks ignored); an array
 * when it has more than JSON_CUT_BYTES numbers of 0..255. Smaller ones stay where they are. What turns out to be broken behind its
 * beginning is a file with `broken` set. A marker that a client writes itself can only name a file of the same request.
 */
#ifndef FCGI_JSON_CUT_H
#define FCGI_JSON_CUT_H

#include <stdbool.h>

#include "fcgi/form.h"

#define JSON_CUT_TEXT 16384U
#define JSON_CUT_BYTES 256U

/* Decodes base64 that comes in pieces. All zero: nothing read yet. */
struct base64_reader {
	uint32_t bits;
	unsigned have;    /* characters in bits */
	unsigned padding; /* '=' seen */
	bool broken;
};

/* Appends what n characters decode to; false once something is wrong. */
bool base64_read(struct base64_reader *r, const uint8_t *p, size_t n, struct buf *out);
/* True if the text may end here; appends the last bytes. */
bool base64_end(struct base64_reader *r, struct buf *out);

enum json_cut_state { CUT_PLAIN, CUT_STRING, CUT_LONG, CUT_BASE64, CUT_NUMBERS, CUT_BYTES };

struct json_cut {
	struct form *form;      /* borrowed: gets the files */
	struct buf *text;       /* borrowed: gets the rest */
	size_t text_limit;
	bool texts_stay;        /* only data URIs become files, no bare base64 */
	enum json_cut_state state;
	size_t start;           /* in text: of the string or array that is being read */
	bool escape;
	unsigned unicode;       /* hex digits of a \u still to come */
	unsigned code;
	struct base64_reader base64;
	unsigned number, digits, numbers; /* of an array */
	bool number_open, number_wanted;
	struct form_file *file; /* borrowed; NULL: the piece is left out (too many files) */
	struct buf decoded;     /* owned */
	int error;              /* enum form_error */
};

void json_cut_init(struct json_cut *c, struct form *form, struct buf *text, size_t text_limit);
void json_cut_free(struct json_cut *c);
/* 0, or -1 with c->error. */
int json_cut_feed(struct json_cut *c, struct span bytes);

/* The file that a string of the remaining text stands for; NULL if it is no marker. */
struct form_file *json_cut_file(struct form *form, struct span text);

/*
 * What a text says about a file: data URI (*type is its MIME type), bare base64 (*type empty), or something else (false). *data is the
 * base64 part. Only its beginning is looked at, at most `sample` bytes.
 */
bool json_cut_sniff(struct span text, size_t sample, struct span *type, struct span *data);

#endif
