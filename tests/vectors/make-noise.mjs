// SPDX-License-Identifier: GPL-3.0-or-later
// Makes noise.json: a handshake and transport frames between Baileys' client code and the simulator's responder, with all keys.
//     cd tests && node vectors/make-noise.mjs > vectors/noise.json
import { makeNoiseHandler } from 'baileys/lib/Utils/noise-handler.js';
import { WA_CERT_DETAILS } from 'baileys/lib/Defaults/index.js';
import { proto } from 'baileys/WAProto/index.js';
import { newKeyPair } from '../wasim/curve.js';
import { CertificateAuthority } from '../wasim/certs.js';
import { NoiseResponder } from '../wasim/noise.js';

const logger = { child: () => logger, trace: () => {}, debug: () => {}, info: () => {}, warn: () => {}, error: () => {}, level: 'silent' };
const hex = bytes => Buffer.from(bytes).toString('hex');
const authority = new CertificateAuthority();
WA_CERT_DETAILS.PUBLIC_KEY.set(authority.root.public);

const ephemeral = newKeyPair();
const noise = newKeyPair();
const responder = new NoiseResponder(authority.leaf);
const routingInfo = Buffer.from('0804020a', 'hex');
const client = makeNoiseHandler({ keyPair: ephemeral, NOISE_HEADER: Buffer.from('57410603', 'hex'), logger, routingInfo });
const hello = proto.HandshakeMessage.encode({ clientHello: { ephemeral: ephemeral.public } }).finish();
const firstBytes = client.encodeFrame(hello);
const serverHello = responder.answer(ephemeral.public, authority.chain());
const payload = Buffer.from('what the client says about itself');
const sealedStatic = client.processHandshake({ serverHello }, noise);
const sealedPayload = client.encrypt(payload);
const finish = proto.HandshakeMessage.encode({ clientFinish: { static: sealedStatic, payload: sealedPayload } }).finish();
const secondBytes = client.encodeFrame(finish);
const { transport } = responder.finish(sealedStatic, sealedPayload);
await client.finishInit();

const plain = ['00f80113', '00f801ff', '', hex(Buffer.alloc(300, 7))].map(text => Buffer.from(text, 'hex'));
console.log(JSON.stringify({
    about: 'Client side: Baileys 7.0.0-rc14. Responder: tests/wasim. Made by make-noise.mjs.',
    now_s: Math.floor(Date.now() / 1000), root_key: hex(authority.root.public), routing_info: hex(routingInfo),
    ephemeral_private: hex(ephemeral.private), noise_private: hex(noise.private), payload: hex(payload),
    first_bytes: hex(firstBytes),
    server_hello: hex(proto.HandshakeMessage.encode({ serverHello }).finish()),
    second_bytes: hex(secondBytes),
    to_server: plain.map(bytes => ({ plain: hex(bytes), bytes: hex(client.encodeFrame(bytes)) })),
    to_client: plain.map(bytes => ({ plain: hex(bytes), cipher: hex(transport.seal(bytes)) }))
}, null, 1));
