/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One media job, in the process that calls it: the caged child, or a fuzz target. */
#ifndef SESSIOND_MEDIA_JOB_H
#define SESSIOND_MEDIA_JOB_H

#include "sessiond/media/media.h"

/* Loads what the libraries would look for later, when they may open nothing any more. Before the first fork. */
void job_warm_up(void);
/* input: read from its start if it can be positioned, else to its end. output: -1, or a file that is written from 0 on. The result
 * says everything. */
void job_run(const struct mediajob *job, int input, int output, struct mediajob_result *result);

#endif
