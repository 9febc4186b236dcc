/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The little XML that S3 answers with: <Error><Code>..</Code><Message>..</Message></Error> and <..><UploadId>..</UploadId></..>. Reads the text of
 * the first element of a name, at any depth, without recursion; no DTD, no entities but the five and numbers, no CDATA. Private to sessiond/storage.
 */
#ifndef STORAGE_S3_XML_H
#define STORAGE_S3_XML_H

#include <stdbool.h>
#include <stddef.h>

#include "common/buf.h"

/*
 * Text of the element into out (room bytes, cut there at a character's begin, control characters become blanks). False: there is none, it holds
 * other elements, or the XML is broken before it.
 */
bool s3_xml_text(struct span xml, const char *name, char *out, size_t room);

#endif
