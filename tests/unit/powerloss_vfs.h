/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A SQLite VFS that forgets what was not synced, and that fails on demand.
 *
 *     write -> real file (everybody reads that)      and noted:  [ what the disk holds ] + [ writes since the last sync ]
 *     cut   -> each unsynced write has reached the disk wholly, torn at 512 bytes, or not at all; later writes and syncs fail
 *     restore -> files as the disk held them at the cut, in another folder
 */
#ifndef POWERLOSS_VFS_H
#define POWERLOSS_VFS_H

#include <stdbool.h>
#include <stdint.h>

/* Registers the VFS under this name (once) and forgets everything. seed decides which writes get lost. */
void powerloss_start(unsigned seed);
extern const char powerloss_name[];

/* Connections that name no VFS use this one, too. */
void powerloss_use_always(void);
/* The power goes when that many more writes, truncations and syncs have been done; 0: never. */
void powerloss_cut_after(uint64_t operations);
bool powerloss_is_cut(void);
/* Operations since powerloss_start(). */
uint64_t powerloss_operations(void);
/* Writes the files as they were on the disk into a folder, under their own base names. */
void powerloss_restore(const char *folder);
/* Calls this at the moment of the cut, on the thread that does the operation; it may end the process. */
void powerloss_on_cut(void (*fn)(void));
/* The cut comes now, whatever is going on. */
void powerloss_cut_now(void);
/* From now on writes (and syncs) answer this SQLite code; 0: they work again. */
void powerloss_fail_writes(int code);
void powerloss_fail_syncs(int code);
void powerloss_stop(void);

#endif
