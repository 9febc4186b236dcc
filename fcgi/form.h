/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Bodies of the upload routes (contract rest-a 1.4): multipart/form-data, urlencoded, or any other type = the body itself is one file.
 *
 *     part with a file name    -> files[]   its bytes in a spool file, whatever its size
 *     part without             -> fields    text; a repeated name becomes an array; BOM and one line end at its end removed
 *
 * JSON bodies of these routes are read by body.c.
 */
#ifndef FCGI_FORM_H
#define FCGI_FORM_H

#include <stdbool.h>
#include <sys/types.h>

#include "common/arena.h"
#include "fcgi/json.h"
#include "fcgi/spool.h"

#define FORM_MAX_FILES 20U
/* All text fields of one form together; larger values belong into files. */
#define FORM_MAX_TEXT_BYTES (2U << 20)

struct form_file {
	struct span name;     /* of the field */
	struct span filename; /* may be empty */
	struct span type;     /* as declared; application/octet-stream without */
	struct spool spool;   /* owned */
	bool too_large;       /* over the limit: what is in the spool is its beginning */
	bool cut;             /* cut out of JSON (json_cut.h), not uploaded as a file */
	bool data_uri;        /* ... of a data URI: type is what that says, empty without */
	bool broken;          /* ... and not what its beginning promised */
};

struct form {
	struct arena *arena;     /* borrowed: texts live there */
	const char *spool_dir;   /* borrowed */
	uint64_t limit;          /* of one file */
	struct json *fields;     /* object */
	struct form_file files[FORM_MAX_FILES]; /* owned; further files of a form are left out */
	size_t files_count;
	size_t text_bytes;
	int error; /* enum form_error, the first one */
};

enum form_error {
	FORM_OK = 0,
	FORM_MALFORMED = -1,
	FORM_TOO_LARGE = -2, /* too much text */
	FORM_NO_SPACE = -3,
	FORM_SYSTEM = -4,    /* the spool directory cannot be used; errno says why */
	FORM_ABORTED = -5    /* the body ended early */
};

/* Where the body comes from: > 0 bytes, 0 at its end, -1 when it broke off. */
typedef ssize_t form_source(void *arg, void *p, size_t n);

void form_init(struct form *f, struct arena *arena, const char *spool_dir, uint64_t file_limit);
/* Closes the files. */
void form_free(struct form *f);
/* A new file at the end of files[], NULL with f->error; files_count must be below FORM_MAX_FILES. Texts are copied. */
struct form_file *form_add_file(struct form *f, struct span name, struct span filename, struct span type);
/* 0, or -1 with f->error. Bytes over the limit set too_large and are left out. */
int form_write_file(struct form *f, struct form_file *file, struct span bytes);
/* Reads the whole body. FORM_OK or the first error. */
enum form_error form_read(struct form *f, struct span content_type, form_source *source, void *arg);

#endif
