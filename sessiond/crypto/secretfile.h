/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Files that hold secrets of the installation (master keys, the pepper of API
 * keys).  They are made once with mode 0600, reach the disk before anything
 * relies on them, and are refused when other users may read them.
 */
#ifndef WAREST_SECRETFILE_H
#define WAREST_SECRETFILE_H

#include <stddef.h>
#include <stdint.h>

#define SECRETFILE_MAX 4096

/*
 * Reads the file's text (at most SECRETFILE_MAX - 1 bytes, NUL added) into
 * text.  0, or CRYPTO_EIO with errno (EACCES: readable by group or others),
 * CRYPTO_EFORMAT when it is too long.  The caller wipes text.
 */
int secretfile_read(const char *path, char text[SECRETFILE_MAX]);

/*
 * Creates the file with this text (mode 0600, written, synced, then linked to
 * its name so that nobody sees half a file).  0, or CRYPTO_EIO with errno;
 * EEXIST when another process was faster.
 */
int secretfile_create(const char *path, const char *text);

/*
 * Reads len random bytes kept in hex in the file; makes the file first when
 * it does not exist.  0, CRYPTO_EIO, CRYPTO_EFORMAT or CRYPTO_EFAIL.
 */
int secretfile_load_or_create(const char *path, uint8_t *secret, size_t len);

#endif
