/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Lets go of the code pages of libraries that only libraries need. libcurl brings some thirty along (LDAP, Kerberos, SSH, a second TLS
 * library): all of them run their constructors at start, none does anything for us afterwards, and what they touched stays mapped.
 *
 *     warest-sessiond -needs-> libcurl, libcrypto, ...   left alone: what serves requests
 *                                 -needs-> libgnutls, libkrb5, libldap, ...   unmapped; the kernel maps again what is used after all
 */
#ifndef SESSIOND_LIBPAGES_H
#define SESSIOND_LIBPAGES_H

#include <stddef.h>

/* Any thread, any time. How many libraries it was done to. */
size_t libpages_release(void);

#endif
