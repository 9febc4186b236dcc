/* SPDX-License-Identifier: GPL-3.0-or-later */
/* If this finds something, whoever answers a connection attempt (a proxy, a captive portal) can end the daemon. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "sessiond/net/upgrade.h"
#include "sessiond/net/version.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	size_t head_len;
	int status;
	enum upgrade_result result = upgrade_response(bytes, len, "dGhlIHNhbXBsZSBub25jZQ==", &head_len, &status);

	if (head_len > len || (result == UPGRADE_DONE && (status != 101 || head_len == 0)))
		abort();
	version_find(span_of(bytes, len));
	return 0;
}
