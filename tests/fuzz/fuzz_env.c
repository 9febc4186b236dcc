/* SPDX-License-Identifier: GPL-3.0-or-later */
/* If this fails, a damaged env file crashes both programs instead of being refused with a line number. */
#include "common/envfile.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(void *arg, const char *name, const char *value, size_t line)
{
	size_t *lines = arg;

	if (*name == '\0' || strlen(value) > 1U << 20 || line == 0 || line > *lines + 1)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct envfile_error error;
	size_t lines = 0;

	for (size_t i = 0; i < size; i++)
		lines += data[i] == '\n';
	if (envfile_parse((const char *)data, size, check, &lines, &error) != 0 && (error.line == 0 || error.message == NULL))
		abort();
	return 0;
}
