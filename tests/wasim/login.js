// SPDX-License-Identifier: GPL-3.0-or-later
// What follows the handshake: registration or login, success, the hand-over of the offline queue.
import crypto from 'node:crypto';
import { proto } from 'baileys/WAProto/index.js';
import { node } from './nodes.js';
import { djb, verify } from './curve.js';
import { SERVER_JID } from './jid.js';

const BUNDLED_PLATFORMS = 24;

function longToNumber(value) {
    return value === null || value === undefined ? 0 : Number(value);
}

/** Checks what every ClientPayload must carry; a list of texts. */
function payloadFaults(payload) {
    const faults = [];
    const agent = payload.userAgent;
    if (!agent?.appVersion?.primary) faults.push('userAgent.appVersion is missing');
    if (agent && (agent.mcc !== '000' || agent.mnc !== '000')) faults.push('userAgent.mcc/mnc are not 000');
    if (agent?.phoneId) faults.push('userAgent.phoneId must not be sent');
    if (agent && agent.platform === proto.ClientPayload.UserAgent.Platform.WEB && !payload.webInfo) faults.push('webInfo is missing');
    if (payload.connectType !== 1) faults.push('connectType is not WIFI_UNKNOWN');
    if (payload.connectReason !== 1) faults.push('connectReason is not USER_ACTIVATED');
    return faults;
}

/** Checks DevicePairingRegistrationData; {fields, faults}. */
function registrationFaults(data, version) {
    const faults = [];
    const width = (name, length) => {
        if (data[name]?.length !== length) faults.push(`${name} is not ${length} bytes`);
    };
    width('eRegid', 4);
    width('eIdent', 32);
    width('eSkeyId', 3);
    width('eSkeyVal', 32);
    width('eSkeySig', 64);
    if (!(data.eKeytype?.length === 1 && data.eKeytype[0] === 5)) faults.push('eKeytype is not 05');
    if (faults.length) return faults;
    if (Buffer.from(data.eRegid).readUInt32BE(0) === 0) faults.push('registration id is 0');
    if (!verify(data.eIdent, djb(Buffer.from(data.eSkeyVal)), data.eSkeySig)) faults.push('eSkeySig does not verify');
    const text = `${version.primary}.${version.secondary}.${version.tertiary}`;
    if (!crypto.createHash('md5').update(text).digest().equals(Buffer.from(data.buildHash || []))) {
        faults.push(`buildHash is not the MD5 of ${text}`);
    }
    try {
        const props = proto.DeviceProps.decode(data.deviceProps);
        if (!props.os) faults.push('deviceProps.os is empty');
        if (props.platformType > BUNDLED_PLATFORMS) faults.push(`deviceProps.platformType ${props.platformType}`);
    } catch (error) {
        faults.push(`deviceProps: ${error.message}`);
    }
    return faults;
}

/** Registration and login of connections. */
export class Login {
    constructor(sim) {
        this.sim = sim;
    }

    /** The handshake is done and the payload known. */
    onClientPayload(connection) {
        const { payload } = connection;
        const failure = this.sim.faults.applies('login_failure', this.claimedDevice(payload));
        if (failure) return this.fail(connection, failure.attrs || { reason: 500 });
        if (this.tooOld(payload)) return this.fail(connection, { reason: 405, location: 'test' });
        for (const text of payloadFaults(payload)) this.sim.strict.violation(this.claimedDevice(payload) || connection, 'client_payload', text);
        if (payload.devicePairingData && !longToNumber(payload.username)) return this.register(connection);
        return this.login(connection);
    }

    claimedDevice(payload) {
        return this.sim.directory.byPhone.get(String(longToNumber(payload.username)))?.devices.get(payload.device || 0) || null;
    }

    tooOld(payload) {
        const minimum = this.sim.options.minVersion;
        return !!minimum && (payload.userAgent?.appVersion?.tertiary || 0) < minimum;
    }

    fail(connection, attrs) {
        this.sim.event('login_refused', { connection: connection.number, ...attrs });
        connection.sendNow(node('failure', attrs));
        connection.close();
    }

    register(connection) {
        const { payload } = connection;
        const data = payload.devicePairingData;
        const faults = registrationFaults(data, payload.userAgent?.appVersion || {});
        if (payload.passive || payload.pull) faults.push('registration with passive or pull');
        for (const text of faults) this.sim.strict.violation(connection, 'registration', text);
        if (faults.length) return this.fail(connection, { reason: 400, location: 'test', message: faults[0] });
        return this.sim.pairing.begin(connection, {
            registrationId: Buffer.from(data.eRegid).readUInt32BE(0),
            identity: Buffer.from(data.eIdent),
            signedPreKey: {
                id: Buffer.from(data.eSkeyId).readUIntBE(0, 3),
                public: Buffer.from(data.eSkeyVal), signature: Buffer.from(data.eSkeySig)
            },
            props: proto.DeviceProps.toObject(proto.DeviceProps.decode(data.deviceProps), { longs: Number, enums: String })
        });
    }

    login(connection) {
        const { payload } = connection;
        const device = this.claimedDevice(payload);
        if (!device || device.kind !== 'client' || !device.noiseKey.equals(connection.noiseKey)) {
            return this.fail(connection, { reason: 401, location: 'test' });
        }
        if (!payload.pull) this.sim.strict.violation(device, 'client_payload', 'login without pull');
        const old = device.connection;
        if (old) this.replace(old);
        connection.device = device;
        device.connection = connection;
        device.available = false;
        this.sim.event('login', { device: device.name, connection: connection.number, passive: !!payload.passive });
        const success = node('success', { t: this.sim.now(), lid: device.jid('lid'), props: 1, location: 'test' });
        connection.send(success);
        if (this.sim.faults.applies('success_twice', device)) connection.send(success);
        if (this.sim.options.edgeRouting) {
            connection.send(node('ib', { from: SERVER_JID }, [
                node('edge_routing', {}, [node('routing_info', {}, Buffer.from(this.sim.options.edgeRouting))])
            ]));
        }
        device.queue.attach(connection, !!payload.passive);
        return undefined;
    }

    /** Ends a connection because another one of the same device came. */
    replace(old) {
        this.sim.event('replaced', { device: old.device.name, connection: old.number });
        old.sendNow(node('stream:error', {}, [node('conflict', { type: 'replaced' })]));
        old.device.queue.detach(old);
        old.close();
    }
}
