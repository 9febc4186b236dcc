/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Checks of single values of settings. Private to common/config. */
#ifndef COMMON_CONFIG_CHECK_H
#define COMMON_CONFIG_CHECK_H

enum config_check {
	CHECK_ANY,
	CHECK_URL,        /* absolute http or https */
	CHECK_WEBSOCKET,  /* absolute ws or wss */
	CHECK_PROXY,      /* http, https, socks5, socks5h, or host:port */
	CHECK_TIMEZONE,   /* a name of the tz database */
	CHECK_COUNTRY,    /* 1 to 4 digits, not starting with 0 */
	CHECK_ABSOLUTE,   /* absolute path */
	CHECK_NETWORK,    /* private, loopback, linklocal, address, CIDR, host name */
	CHECK_HEX32,      /* 64 hex digits */
	CHECK_CONNECT_TO, /* HOST:PORT:HOST2:PORT2 */
	CHECK_VERSION,    /* number.number.number */
	CHECK_HOURS,      /* HH:MM-HH:MM */
	CHECK_EVENT       /* an event of the journal beyond the webhooks' own 13 */
};

/* NULL if the value is good, otherwise what it should be ("must be ..."). Empty values are good. Static text. */
const char *config_check(enum config_check check, const char *value);

#endif
