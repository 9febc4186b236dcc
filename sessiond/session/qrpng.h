/* SPDX-License-Identifier: GPL-3.0-or-later */
/* QR codes as PNG data URIs (for answers and events) and as text (terminal). */
#ifndef WAREST_SESSIOND_SESSION_QRPNG_H
#define WAREST_SESSIOND_SESSION_QRPNG_H

/* The QR code of text (level M, margin 1) as a square PNG of size_px, as
 * "data:image/png;base64,...". NULL without memory or if the text is too long
 * for a QR code. The caller frees it. */
char *qr_png_data_uri(const char *text, unsigned size_px);

/* The QR code drawn with half blocks, two modules a character, dark on light,
 * lines ended with '\n'. NULL as above. The caller frees it. */
char *qr_terminal(const char *text);

#endif
