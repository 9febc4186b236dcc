/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Exit statuses of the daemon. */
#ifndef SESSIOND_EXIT_H
#define SESSIOND_EXIT_H

enum {
	EXIT_STATUS_OK = 0,
	EXIT_STATUS_CONFIG = 64,   /* bad settings or options: starting again does not help */
	EXIT_STATUS_STORE = 74,    /* the database cannot be opened */
	EXIT_STATUS_SOCKET = 71,   /* the socket cannot be made */
	EXIT_STATUS_RESTART = 1000 /* inside the program: execute it again */
};

#endif
