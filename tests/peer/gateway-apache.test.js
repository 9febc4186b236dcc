// SPDX-License-Identifier: GPL-3.0-or-later
// If this fails, people with real WhatsApp clients cannot talk to a gateway behind Apache (mod_proxy_fcgi).
import { gatewayTests } from './gateway-scenes.js';

gatewayTests('apache-proxy-fcgi');
