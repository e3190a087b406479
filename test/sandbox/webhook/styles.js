'use strict';
// How well-known receivers answer. style(ctx) returns {status, headers, body}; some look at the body
// first and refuse as the receiver would.
const crypto = require('crypto');
const { wellFormed } = require('./xml');

const text = (status, body) => ({ status, headers: { 'Content-Type': 'text/plain; charset=utf-8' }, body });
const json = ctx => { try { return JSON.parse(ctx.body.toString('utf8')); } catch { return undefined; } };

module.exports = {
	// accepted means queued, nothing more
	zapier: () => ({ status: 200, body: { attempt: crypto.randomUUID(), id: crypto.randomUUID(), request_id: crypto.randomUUID(), status: 'success' } }),
	make: () => text(200, 'Accepted'),
	n8n: () => ({ status: 200, body: { message: 'Workflow was started' } }),
	slack(ctx) {
		const b = json(ctx);
		if (!b || typeof b !== 'object' || Array.isArray(b)) return text(400, 'invalid_payload');
		if (!b.text && !(Array.isArray(b.blocks) && b.blocks.length)) return text(400, 'no_text');
		if (typeof b.text === 'string' && b.text.length > 40000) return text(400, 'msg_too_long');
		if (Array.isArray(b.blocks) && (b.blocks.length > 50 || b.blocks.some(x => !x || !x.type))) return text(400, 'invalid_blocks');
		return text(200, 'ok');
	},
	// Slack's Web API says no with 200
	slack_api(ctx) {
		const b = json(ctx);
		return { status: 200, body: b && b.channel && (b.text || b.blocks) ? { ok: true, channel: b.channel, ts: '1795197800.000100' } : { ok: false, error: b && b.channel ? 'no_text' : 'channel_not_found' } };
	},
	// lead data as XML (ADF): one prospect with a customer
	adf(ctx) {
		const xml = ctx.body.toString('utf8'), wrong = wellFormed(xml);
		if (wrong) return text(400, `not well-formed XML: ${wrong}`);
		if (!/<adf[\s>]/.test(xml) || !/<prospect[\s>]/.test(xml) || !/<customer[\s>]/.test(xml)) return text(400, 'adf, prospect and customer are required');
		return text(200, 'OK');
	},
};
