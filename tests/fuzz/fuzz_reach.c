/* SPDX-License-Identifier: GPL-3.0-or-later */
/* If this fails, the lists of a new API key crash the daemon, or a network is not what it was shown as. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/mem.h"
#include "common/reach.h"
#include "common/scope.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What is shown of a network reads as that network. */
static void check_network(const struct cidr *network)
{
	struct cidr again;
	char text[CIDR_TEXT];

	cidr_format(network, text);
	if (cidr_parse(&again, text, strlen(text)) || again.bits != network->bits || memcmp(again.address, network->address, 16) != 0)
		abort();
	if (!cidr_contains(network, network->address) || !cidr_within(network, network))
		abort();
}

/* The first line: sessions; the second: networks. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = xstrndup((const char *)data, size);
	char *second = strchr(text, '\n');
	struct reach *reach;
	char why[160];

	if (second)
		*second++ = '\0';
	if (reach_new(&reach, text, second, why, sizeof why) == 0 && reach) {
		for (size_t i = 0; i < reach->nnetworks; i++)
			check_network(&reach->networks[i]);
		for (size_t i = 0; i < reach->nsessions; i++) {
			if (!reach_has_session(reach, reach->sessions[i]))
				abort();
		}
		if (!reach_within(reach, reach))
			abort();
		(void)reach_has_address(reach, text);
		reach_drop(reach);
	}
	(void)scope_of_name(text, strlen(text));
	free(text);
	return 0;
}
