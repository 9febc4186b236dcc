// SPDX-License-Identifier: GPL-3.0-or-later
// If this fails, people with real WhatsApp clients cannot talk to a gateway behind lighttpd.
import { gatewayTests } from './gateway-scenes.js';

gatewayTests('lighttpd');
