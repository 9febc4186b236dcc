/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Objects in an S3 bucket: not in this build yet, the start says so. */
#include <stdio.h>

#include "sessiond/storage/driver.h"

static int s3_start(struct storage *storage, char *why, size_t why_len)
{
	(void)storage;
	snprintf(why, why_len, "WAREST_STORAGE_DRIVER: the S3 driver is not in this build yet");
	return -1;
}

const struct storage_driver storage_s3 = { .name = "s3", .start = s3_start };
