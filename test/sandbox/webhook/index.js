'use strict';
// The plain dialect: POST /hook/* stores what arrives and answers 200. Can verify the Standard
// Webhooks signature, drop repeats by webhook-id, and answer what the test wants. Kept lean.
const crypto = require('crypto');
const { Dialect } = require('../lib/dialect');
const { HttpError, ControlError } = require('../lib/errors');
const styles = require('./styles');
const { Pebble } = require('./pebble');

const TOLERANCE_S = 300;

const OPEN = { open: true };

class Webhook extends Dialect {
	constructor(sandbox) {
		super(sandbox, 'webhook', {
			tokens: { mode: 'off' },
			config: { secrets: [], dedup: false, store: true, status: 200, reply: {}, reply_headers: {}, bearer: null, basic: null, style: null, styles: {} },
			limits: [{ name: 'rate', max: 1, ms: 1000 }],
		});
		this.route('POST', '/hook/:path(.*)', 'hook', this.hook, OPEN);
		this.route('PUT', '/hook/:path(.*)', 'hook', this.hook, OPEN);
		this.route('POST', '/hook', 'hook', this.hook, OPEN);
	}
	configure(change) {
		// style: how everything is answered; styles: {first part of the path below /hook: style}
		for (const s of [change.style, ...Object.values(change.styles || {})]) if (s && !styles[s]) throw new ControlError(`no style "${s}"; known: ${Object.keys(styles).join(', ')}`);
		return super.configure(change);
	}
	seedStore() {
		this.store.table('hooks');
		this.seen = new Map();
		this.pebble = new Pebble();
	}

	restored() {
		for (const r of this.store.all('hooks')) if (r.props.webhook_id) this.seen.set(r.props.webhook_id, r.id);
	}

	// Any one of the configured secrets may have signed (rotation); all given signatures are tried.
	#verify(ctx) {
		const id = ctx.headers['webhook-id'], ts = ctx.headers['webhook-timestamp'], sig = ctx.headers['webhook-signature'];
		if (!id || !ts || !sig) return 'missing signature headers';
		if (!/^\d+$/.test(ts) || Math.abs(ctx.now / 1000 - Number(ts)) > TOLERANCE_S) return 'timestamp out of tolerance';
		for (const secret of this.config.secrets) {
			const key = Buffer.from(secret.replace(/^whsec_/, ''), 'base64');
			const want = crypto.createHmac('sha256', key).update(`${id}.${ts}.`).update(ctx.body).digest();
			for (const part of sig.split(' ')) {
				const [version, value] = part.split(',');
				if (version !== 'v1' || !value) continue;
				const have = Buffer.from(value, 'base64');
				if (have.length === want.length && crypto.timingSafeEqual(have, want)) return null;
			}
		}
		return 'signature does not match';
	}

	hook(ctx) {
		const c = this.config;
		const full = this.limits.admit('hook');
		if (full) throw new HttpError(429, { error: 'too many requests' }, { 'Retry-After': String(Math.ceil(full.wait(ctx.now) / 1000)) });
		if (c.bearer && ctx.headers.authorization !== `Bearer ${c.bearer}`) throw new HttpError(401, { error: 'unauthorized' });
		if (c.basic && ctx.headers.authorization !== 'Basic ' + Buffer.from(c.basic).toString('base64')) throw new HttpError(401, { error: 'unauthorized' });
		let signature = null;
		if (c.secrets.length) {
			const wrong = this.#verify(ctx);
			if (wrong) throw new HttpError(401, { error: wrong });
			signature = true;
		}
		const style = c.styles[(ctx.params.path || '').split('/')[0]] || c.style;
		const reply = style ? styles[style](ctx) : this.#answer();
		if (reply.status >= 400) return reply;
		const id = ctx.headers['webhook-id'] || null;
		if (c.dedup && id) {
			const old = this.seen.get(id);
			if (old) {
				ctx.entry.touched.push({ object: 'hooks', id: old, op: 'duplicate' });
				return reply;
			}
		}
		if (c.store) {
			const text = ctx.body.toString('utf8');
			let json = null;
			try { json = JSON.parse(text); } catch { /* kept as text */ }
			const r = ctx.writer.create('hooks', this.newId('hooks'), { path: ctx.params.path || '', webhook_id: id, signature_ok: signature, content_type: ctx.headers['content-type'] || null, json, text: json === null ? text : undefined });
			if (c.dedup && id) this.seen.set(id, r.id);
		} else if (c.dedup && id) this.seen.set(id, '0');
		return reply;
	}
	#answer() { return { status: this.config.status, headers: this.config.reply_headers, body: this.config.reply }; }
}
module.exports = Webhook;
