'use strict';
// Token endpoints: v1 (going away), v3 and the date versions, which want their parameters in the body.
const { correlationId } = require('./errors');

function refuse(v1, status, code, oauthError, message) {
	const body = { status: code, message, correlationId: correlationId() };
	if (!v1) Object.assign(body, { error: oauthError, error_description: message });
	return { status, body };
}

function token(ctx) {
	const { tokens } = this;
	const v1 = ctx.params.ver === 'v1';
	const b = v1 ? { ...Object.fromEntries(ctx.query), ...this.form(ctx) } : this.form(ctx);
	const type = ctx.headers['content-type'] || '';
	if (!/^application\/x-www-form-urlencoded/.test(type)) return refuse(v1, 415, 'BAD_CONTENT_TYPE', 'invalid_request', 'Content-Type must be application/x-www-form-urlencoded');
	if (!tokens.clientOk(b.client_id, b.client_secret)) return refuse(v1, 401, 'BAD_CLIENT_ID', 'invalid_client', 'missing or unknown client id or secret');
	let got;
	switch (b.grant_type) {
	case 'refresh_token': got = tokens.useRefresh(b.refresh_token); break;
	case 'client_credentials': got = v1 ? null : tokens.useClient(); break;
	case 'authorization_code': {
		const f = tokens.newFamily();
		got = { access: tokens.issueAccess(f), refresh: f.refresh, lifetime_s: Math.round(tokens.config.lifetime_ms / 1000) };
		break;
	}
	default: got = null;
	}
	if (!got) return refuse(v1, 400, 'BAD_GRANT_TYPE', 'unsupported_grant_type', `unsupported grant_type ${b.grant_type}`);
	if (got.error) return refuse(v1, 400, 'BAD_REFRESH_TOKEN', 'invalid_grant', 'missing or invalid refresh token');
	const body = { token_type: 'bearer', access_token: got.access, expires_in: got.lifetime_s, hub_id: this.portalId, scopes: ['oauth', 'crm.objects.contacts.read', 'crm.objects.contacts.write'] };
	if (got.refresh) body.refresh_token = got.refresh;
	return { status: 200, body, headers: { 'Cache-Control': 'no-store' } };
}

function info(ctx) {
	const verdict = this.tokens.check(ctx.params.token);
	if (verdict !== 'ok') return { status: 404, body: { status: 'error', message: 'access token was not found', correlationId: correlationId() } };
	return { status: 200, body: { token: ctx.params.token, hub_id: this.portalId, hub_domain: 'sandbox.example.com', token_type: 'access', expires_in: Math.round(this.tokens.config.lifetime_ms / 1000), scopes: ['oauth'] } };
}
module.exports = { token, info };
