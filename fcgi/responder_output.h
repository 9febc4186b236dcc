/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Writes an answer as CGI output; private to responder.c. */
#ifndef FCGI_RESPONDER_OUTPUT_H
#define FCGI_RESPONDER_OUTPUT_H

#include "fcgi/responder.h"

void responder_write(struct responder *w, struct request *r);
/* The head of an answer without a length, whose body follows piece by piece; 0 or -1. */
int responder_write_head(struct responder *w, struct request *r, const char *type);

#endif
