/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The base64 alphabets (RFC 4648 4 and 5), read alike: nobody says which one he used. */
#ifndef COMMON_BASE64_H
#define COMMON_BASE64_H

#include <stdint.h>

/* The six bits that c stands for, of either alphabet; -1: it is in none. */
int base64_value(uint8_t c);

#endif
