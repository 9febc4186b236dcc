/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Tag bytes of the binary stanza format, shared by encoder and decoder. */
#ifndef SESSIOND_WA_NODE_WIRE_H
#define SESSIOND_WA_NODE_WIRE_H

enum wire_tag {
	TAG_LIST_EMPTY = 0,
	TAG_DICTIONARY_0 = 236,
	TAG_DICTIONARY_3 = 239,
	TAG_INTEROP_JID = 245,
	TAG_FB_JID = 246,
	TAG_AD_JID = 247,
	TAG_LIST_8 = 248,
	TAG_LIST_16 = 249,
	TAG_JID_PAIR = 250,
	TAG_HEX_8 = 251,
	TAG_BINARY_8 = 252,
	TAG_BINARY_20 = 253,
	TAG_BINARY_32 = 254,
	TAG_NIBBLE_8 = 255,
};

/* First byte of a frame: the rest is a zlib stream. */
#define FLAG_COMPRESSED 0x02U

/* Longest text that is written packed (two characters a byte). */
#define PACKED_MAX 127U

#endif
