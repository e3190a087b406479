'use strict';
// How well-known receivers answer. style(ctx) returns {status, headers, body}; some look at the body
// first and refuse as the receiver would.
const crypto = require('crypto');
const adf = require('./adf');

const text = (status, body) => ({ status, headers: { 'Content-Type': 'text/plain; charset=utf-8' }, body });
const json = ctx => { try { return JSON.parse(ctx.body.toString('utf8')); } catch { return undefined; } };

// The limits of Slack's blocks, of those kinds that are used here.
function object(t, types, max) { return t && types.includes(t.type) && typeof t.text === 'string' && t.text.length >= 1 && t.text.length <= max; }
function blocks(list) {
	if (!Array.isArray(list) || list.length > 50) return false;
	return list.every(b => {
		switch (b && b.type) {
		case 'header': return object(b.text, ['plain_text'], 150);
		case 'section':
			if (b.text !== undefined && !object(b.text, ['plain_text', 'mrkdwn'], 3000)) return false;
			if (b.fields !== undefined && !(Array.isArray(b.fields) && b.fields.length >= 1 && b.fields.length <= 10 && b.fields.every(f => object(f, ['plain_text', 'mrkdwn'], 2000)))) return false;
			return b.text !== undefined || b.fields !== undefined;
		case 'context': return Array.isArray(b.elements) && b.elements.length >= 1 && b.elements.length <= 10 && b.elements.every(e => object(e, ['plain_text', 'mrkdwn'], 3000));
		case 'divider': return true;
		default: return false;
		}
	});
}

module.exports = {
	// accepted means queued, nothing more
	zapier: () => ({ status: 200, body: { attempt: crypto.randomUUID(), id: crypto.randomUUID(), request_id: crypto.randomUUID(), status: 'success' } }),
	make: () => text(200, 'Accepted'),
	n8n: () => ({ status: 200, body: { message: 'Workflow was started' } }),
	// the last node, or Respond to Webhook, answers
	n8n_finished: ctx => ({ status: 200, body: [{ saved: true, call_id: ((json(ctx) || {}).call || {}).call_id }] }),
	n8n_inactive: ctx => ({ status: 404, body: { code: 404, message: `The requested webhook "POST ${ctx.params.path}" is not registered.`, hint: 'The workflow must be active for a production URL to run successfully.' } }),
	slack(ctx) {
		const b = json(ctx);
		if (!b || typeof b !== 'object' || Array.isArray(b)) return text(400, 'invalid_payload');
		if (!b.text && !(Array.isArray(b.blocks) && b.blocks.length)) return text(400, 'no_text');
		if (typeof b.text === 'string' && b.text.length > 40000) return text(400, 'msg_too_long');
		if (b.blocks !== undefined && !blocks(b.blocks)) return text(400, 'invalid_blocks');
		return text(200, 'ok');
	},
	// Slack's Web API says no with 200
	slack_api(ctx) {
		const b = json(ctx);
		return { status: 200, body: b && b.channel && (b.text || b.blocks) ? { ok: true, channel: b.channel, ts: '1795197800.000100' } : { ok: false, error: b && b.channel ? 'no_text' : 'channel_not_found' } };
	},
	pebble: ctx => ctx.dialect.pebble.answer(ctx),
	// one lead as XML (ADF 1.0)
	adf(ctx) {
		const { wrong, adf: lead } = adf.read(ctx.body.toString('utf8'));
		if (wrong) return text(400, wrong);
		return lead.children.length === 1 ? text(200, 'OK') : text(400, 'one prospect at a time');
	},
};
