/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The OpenAPI 3.1 document, made from the route table. */
#ifndef FCGI_OPENAPI_H
#define FCGI_OPENAPI_H

#include "common/buf.h"

/* As JSON. `server` is the URL that the client reached us by, NULL for none; `port` is the configured one. */
void openapi_json(struct buf *out, const char *server, unsigned port);
/* JSON as block YAML; every scalar stays in its JSON spelling, which YAML 1.2 reads alike. */
void yaml_from_json(struct buf *out, struct span json);

#endif
