// SPDX-License-Identifier: GPL-3.0-or-later
// IQ dispatch: one table from (namespace, type) to the answer. What is not in the table is refused with 501.
import { child, children, node, bytesOf } from './nodes.js';
import { SERVER_JID, isServerJid } from './jid.js';
import { sha256 } from './curve.js';

const ABT_TCTOKEN_ON_ALL = '10518';
const ABT_TOKEN_TO_LID = '14303';
const TOKENS_KEPT = 16;
const MEX_TIMELOCK = '23983697327930364';
const MEX_CAP = '24503548349331633';

/** The state of a reach-out time lock as the service words it; lock is null or {until (seconds), kind}. */
export function timelockJson(lock) {
    return {
        is_active: !!lock, time_enforcement_ends: lock ? String(lock.until) : null,
        enforcement_type: lock ? lock.kind || 'RESTRICT_ALL_COMPANIONS' : 'DEFAULT'
    };
}

/** How many new chats the account may still begin; cap is null or {until (seconds)}: none. */
function capJson(cap) {
    return {
        capping_status: cap ? 'CAPPED' : 'NONE', cycle_start_timestamp: null, cycle_end_timestamp: cap ? String(cap.until) : null,
        total_quota: cap ? 50 : -1, used_quota: cap ? 50 : 0, ote_status: 'NOT_ELIGIBLE', mv_status: 'NOT_ELIGIBLE'
    };
}

/** Answers the IQs of clients. A handler returns the children of the result, {error, text}, or null for "not known". */
export class IqService {
    constructor(sim) {
        this.sim = sim;
        this.table = new Map(Object.entries({
            'encrypt': (d, iq) => sim.preKeys.handle(d, iq),
            'usync': (d, iq) => sim.usync.handle(d, iq),
            'passive': (d, iq) => this.passive(d, iq),
            'w:p': () => [],
            'urn:xmpp:ping': () => [],
            'abt': (d, iq) => this.props(d, iq),
            'w': (d, iq) => (child(iq, 'props') ? this.props(d, iq) : null),
            'blocklist': (d, iq) => sim.profiles.blocklist(d, iq),
            'privacy': (d, iq) => sim.profiles.privacy(d, iq),
            'urn:xmpp:whatsapp:dirty': () => [],
            'md': (d, iq) => this.multiDevice(d, iq),
            'w:profile:picture': (d, iq) => sim.profiles.picture(d, iq),
            'status': (d, iq) => sim.profiles.about(d, iq),
            'disappearing_mode': (d, iq) => sim.profiles.timer(d, iq),
            'w:m': (d, iq) => this.mediaConnection(d, iq),
            'w:g2': (d, iq) => sim.groups.handle(d, iq),
            'w:biz': (d, iq) => sim.profiles.business(d, iq),
            'w:biz:catalog': (d, iq) => sim.profiles.catalog(d, iq),
            'w:sync:app:state': (d, iq) => sim.appState.handle(d, iq),
            'urn:xmpp:whatsapp:push': () => [],
            'w:stats': () => [],
            'newsletter': (d, iq) => sim.newsletters.handle(d, iq),
            'tos': (d, iq) => sim.newsletters.terms(d, iq),
            'w:mex': (d, iq) => this.mex(d, iq)
        }));
    }

    /** Handles one IQ stanza of a connection. */
    handle(connection, iq) {
        const { id, type, xmlns, to } = iq.attrs;
        const who = connection.device || connection;
        if (type === 'result' || type === 'error') return this.result(connection, iq);
        if (!id) this.sim.strict.violation(who, 'iq', 'IQ without id', iq);
        if (type !== 'get' && type !== 'set') this.sim.strict.violation(who, 'iq', `IQ type "${type}"`, iq);
        if (this.sim.faults.any) {
            if (this.sim.faults.applies('iq_silence', connection.device, iq)) return undefined;
            const fault = this.sim.faults.applies('iq_error', connection.device, iq);
            if (fault) return this.answer(connection, iq, { error: fault.code, text: fault.text || 'injected' });
        }
        if (to !== undefined && !isServerJid(to) && xmlns !== 'w:g2' && xmlns !== 'w:profile:picture' && xmlns !== 'newsletter') {
            this.sim.strict.violation(who, 'iq', `IQ to "${to}"`, iq);
        }
        const outcome = connection.device ? this.registered(connection.device, iq) : this.unpaired(connection, iq);
        if (this.sim.faults.any && this.sim.faults.applies('iq_answer_lost', connection.device, iq)) return undefined;
        return this.answer(connection, iq, outcome ?? this.unknown(who, iq));
    }

    result(connection, iq) {
        const waiter = connection.iqWaiters.get(iq.attrs.id);
        if (waiter) {
            connection.iqWaiters.delete(iq.attrs.id);
            waiter(iq);
            return;
        }
        if (iq.attrs.id) this.sim.strict.violation(connection.device || connection, 'iq_result', 'IQ result that nobody asked for', iq);
    }

    registered(device, iq) {
        const handler = this.table.get(iq.attrs.xmlns);
        return handler ? handler(device, iq) : null;
    }

    unpaired(connection, iq) {
        if (iq.attrs.xmlns === 'w:p') return [];
        if (iq.attrs.xmlns !== 'md') return null;
        if (child(iq, 'link_code_companion_reg')) return this.sim.codePairing.handle(connection, iq);
        return this.sim.passkey.handle(connection, iq);
    }

    unknown(who, iq) {
        const tags = children(iq).map(c => c.tag).join(',');
        const text = `no answer known for IQ ${iq.attrs.type} ${iq.attrs.xmlns} <${tags}>`;
        if (this.sim.strict.violation(who, 'unknown_iq', text, iq)) return { error: 501, text: 'feature-not-implemented' };
        return [];
    }

    answer(connection, iq, outcome) {
        const attrs = { from: iq.attrs.to && !isServerJid(iq.attrs.to) ? iq.attrs.to : SERVER_JID, id: iq.attrs.id, t: this.sim.now() };
        if (outcome.error) {
            connection.send(node('iq', { ...attrs, type: 'error' }, [node('error', { code: outcome.error, text: outcome.text })]));
        } else {
            connection.send(node('iq', { ...attrs, type: 'result' }, outcome.length ? outcome : undefined));
            outcome.after?.();
        }
    }

    passive(device, iq) {
        if (child(iq, 'active')) {
            const done = [];
            done.after = () => {
                device.queue.release();
                this.sim.appState.shareOnce(device);
            };
            return done;
        }
        if (child(iq, 'passive')) {
            device.queue.hold();
            return [];
        }
        return null;
    }

    props() {
        const props = { [ABT_TCTOKEN_ON_ALL]: 1, [ABT_TOKEN_TO_LID]: this.sim.options.tokensToLid ? 1 : 0, ...this.sim.options.props };
        return [node('props', { protocol: '1', hash: 'wasim1', refresh: 86400, refresh_id: 1 }, Object.entries(props)
            .map(([code, value]) => node('prop', { config_code: code, config_value: String(value) })))];
    }

    /** Whom an account lets see its status: its statusList is { type, phones }. */
    statusPrivacy(account) {
        const { type = 'contacts', phones = [] } = account.statusList ?? {};
        const users = phones.map(phone => node('user', { jid: this.sim.directory.byPhone.get(phone).jid('lid') }));
        return node('privacy', {}, [node('list', { type, default: 'true' }, users)]);
    }

    multiDevice(device, iq) {
        const remove = child(iq, 'remove-companion-device');
        if (!remove) return null;
        if (remove.attrs.jid !== device.name) return this.sim.strict.refuse(device, 'logout', `jid is not the own device ${device.name}`, iq);
        if (remove.attrs.reason !== 'user_initiated') return this.sim.strict.refuse(device, 'logout', `reason "${remove.attrs.reason}"`, iq);
        const done = [];
        done.after = () => this.sim.notices.unlink(device);
        return done;
    }

    mediaConnection() {
        return this.sim.media.connection();
    }

    /** GraphQL queries: the state of the reach-out time lock and of the cap, and those about channels. */
    mex(device, iq) {
        const query = child(iq, 'query');
        if (query?.attrs.query_id === MEX_CAP) {
            const { variables } = JSON.parse(bytesOf(query)?.toString() ?? '{}');
            if (variables?.input?.type !== 'INDIVIDUAL_NEW_CHAT_MSG') return this.sim.strict.refuse(device, 'mex', 'the cap of what is asked for?', iq);
            return [node('result', {}, Buffer.from(JSON.stringify({ data: { xwa2_message_capping_info: capJson(device.account.cap) } })))];
        }
        if (query?.attrs.query_id !== MEX_TIMELOCK) return this.sim.newsletters.mex(device, iq, query);
        const { timelock } = device.account;
        const data = { xwa2_fetch_account_reachout_timelock: timelockJson(timelock) };
        return [node('result', {}, Buffer.from(JSON.stringify({ data })))];
    }
}

/** Privacy tokens that accounts issue to each other; clients attach the ones they received. */
export class TokenService {
    constructor(sim) {
        this.sim = sim;
    }

    /** The token `from` gave to `to`; deterministic bytes, so that tests can recompute them. */
    tokenBytes(from, to, t) {
        return sha256('wasim tctoken', from.phone, '>', to.phone, String(t)).subarray(0, 24);
    }

    /** Handles <tokens> of an account that trusts its contacts. */
    issue(device, tokens, iq) {
        for (const token of children(tokens, 'token')) {
            const target = this.sim.directory.ofJid(token.attrs.jid);
            if (!target) return this.sim.strict.refuse(device, 'tctoken_issue', `unknown jid ${token.attrs.jid}`, iq, 404);
            if (token.attrs.type !== 'trusted_contact') return this.sim.strict.refuse(device, 'tctoken_issue', `type "${token.attrs.type}"`, iq);
            const age = Math.abs(this.sim.now() - Number(token.attrs.t));
            if (!(age < 600)) return this.sim.strict.refuse(device, 'tctoken_issue', `t "${token.attrs.t}" is not now`, iq);
            this.grant(device.account, target, Number(token.attrs.t));
        }
        return [];
    }

    /** from trusts to: the token is remembered and delivered. */
    grant(from, to, t = this.sim.now()) {
        const bytes = this.tokenBytes(from, to, t);
        const issued = from.tokensIssued.get(to.phone) || [];
        from.tokensIssued.set(to.phone, [...issued.slice(1 - TOKENS_KEPT), bytes]);
        this.sim.notices.privacyToken(from, to, bytes, t);
        this.sim.event('token_issued', { from: from.phone, to: to.phone, t });
    }

    /**
     * Checks the tokens on a 1:1 message. Returns null when all is well, or the ack error (463; 475: the account is capped).
     * A token that was never issued is a violation.
     */
    check(sender, recipient, stanza) {
        const tc = bytesOf(child(stanza, 'tctoken'));
        const cs = bytesOf(child(stanza, 'cstoken'));
        const issued = recipient.tokensIssued.get(sender.account.phone) || [];
        if (tc && !issued.some(bytes => bytes.equals(tc))) {
            this.sim.strict.violation(sender, 'tctoken', 'tctoken is not one that the recipient issued', stanza);
            return 463;
        }
        if (cs && !cs.equals(this.csToken(sender.account, recipient))) {
            this.sim.strict.violation(sender, 'cstoken', 'cstoken does not verify', stanza);
            return 463;
        }
        const known = recipient.chatted.has(sender.account.phone);
        if (sender.account.timelock && !known) return 463;
        if (sender.account.cap && !known) return 475;
        return recipient.requireToken && !known && !tc && !cs ? 463 : null;
    }

    csToken(account, recipient) {
        return this.sim.hmac(account.nctSalt, recipient.jid('lid'));
    }
}
