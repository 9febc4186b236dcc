// SPDX-License-Identifier: GPL-3.0-or-later
// Writes signal.json: sessions and ciphertexts made by the Signal implementation that Baileys uses (npm package libsignal), for a
// receiving account whose private keys stand in the file. Run from tests/: node vectors/make-signal.mjs > vectors/signal.json
import { createRequire } from 'node:module';
const require = createRequire(new URL('../package.json', import.meta.url));
const signal = require('libsignal');

const hex = (b) => Buffer.from(b).toString('hex');
const bare = (key) => (key.length === 33 ? key.subarray(1) : key);

class Store {
	constructor() {
		this.sessions = new Map();
		this.identity = signal.curve.generateKeyPair();
	}
	async loadSession(id) {
		return this.sessions.get(id);
	}
	async storeSession(id, record) {
		this.sessions.set(id, record);
	}
	async isTrustedIdentity() {
		return true;
	}
	async getOurIdentity() {
		return this.identity;
	}
	async getOurRegistrationId() {
		return 12345;
	}
}

const identity = signal.curve.generateKeyPair();
const signedPrekey = signal.keyhelper.generateSignedPreKey(identity, 1);
const prekeys = [7, 8, 9].map((id) => signal.keyhelper.generatePreKey(id));
const address = new signal.ProtocolAddress('222', 0);

async function write(from, prekey, lengths, keep) {
	const store = new Store();
	const device = {
		registrationId: 4711,
		identityKey: identity.pubKey,
		signedPreKey: { keyId: 1, publicKey: signedPrekey.keyPair.pubKey, signature: signedPrekey.signature },
		preKey: prekey && { keyId: prekey.keyId, publicKey: prekey.keyPair.pubKey },
	};
	await new signal.SessionBuilder(store, address).initOutgoing(device);
	const cipher = new signal.SessionCipher(store, address);
	const all = [];
	for (const [i, n] of lengths.entries()) {
		const plain = Buffer.alloc(n, 0x61 + (i % 26));
		const { type, body } = await cipher.encrypt(plain);
		all.push({ type: type === 3 ? 'pkmsg' : 'msg', plain: hex(plain), ciphertext: hex(Buffer.from(body, typeof body === 'string' ? 'binary' : undefined)) });
	}
	return { from, messages: keep.map((i) => all[i]) };
}

const cases = [
	await write('111@s.whatsapp.net', prekeys[0], [1, 16, 300], [0, 1, 2]),
	await write('333:5@lid', prekeys[1], [5, 5, 5, 5], [3, 0, 2, 1]),
	await write('444:99@hosted', undefined, [40], [0]),
	await write('555@lid', prekeys[2], new Array(1500).fill(4), [0, 1499, 1400]),
];

console.log(JSON.stringify({
	about: 'Ciphertexts by npm libsignal (the implementation Baileys uses) for one receiving account; all bytes in hex.',
	account: {
		identityPrivate: hex(identity.privKey),
		identityPublic: hex(bare(identity.pubKey)),
		signedPrekeyPrivate: hex(signedPrekey.keyPair.privKey),
		signedPrekeyPublic: hex(bare(signedPrekey.keyPair.pubKey)),
		signature: hex(signedPrekey.signature),
		prekeys: prekeys.map((k) => ({ id: k.keyId, private: hex(k.keyPair.privKey), public: hex(bare(k.keyPair.pubKey)) })),
	},
	cases,
}, null, 1));
