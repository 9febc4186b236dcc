/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A SQLite VFS over another one that writes a transaction's part of the write-ahead log at once.
 *
 *     SQLite:  head page head page head page ... sync | publish in the wal-index
 *     file:    ---------------- one write ------ sync |
 *
 * SQLite writes every frame of the log in two pieces of 24 and 4096 bytes, some dozens of them per commit. Here contiguous pieces are
 * collected and reach the file before anything that could tell the difference: sync, read, size, truncation, close, a piece that does
 * not follow the last one. Other connections read no frame before the wal-index names it, and with synchronous=FULL that comes after
 * the sync; with less it does not, so db_sqlite.c looks that this is what is set. What is lost with the process was not committed.
 *
 * A write that fails shows at the sync, or at whatever else brought it about: SQLite rolls back then as it does for the write itself.
 */
#ifndef STORE_GATHER_VFS_H
#define STORE_GATHER_VFS_H

/* A file control for the log: lets its empty buffer go. */
enum { GATHER_LET_GO = 0x57415201 };

/* The name of the VFS that gathers over base (NULL: SQLite's default), registered when it is not yet; NULL: too many of them. Any thread. */
const char *gather_vfs(const char *base);

#endif
