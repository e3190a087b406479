'use strict';
// services/oauth2/token: refresh token, client credentials, JWT bearer (RS256, checked against the
// registered certificate's key), and what belongs to it.
const crypto = require('crypto');

const refuse = (status, error, error_description) => ({ status, body: { error, error_description } });

function jwt(ctx, b) {
	const { config, clock, tokens } = this;
	if (!config.jwt_public_key) return refuse(400, 'invalid_grant', 'user hasn\'t approved this consumer');
	const parts = String(b.assertion || '').split('.');
	if (parts.length !== 3) return refuse(400, 'invalid_grant', 'invalid assertion');
	let head, claims;
	try { [head, claims] = parts.slice(0, 2).map(p => JSON.parse(Buffer.from(p, 'base64url').toString('utf8'))); } catch { return refuse(400, 'invalid_grant', 'invalid assertion'); }
	if (head.alg !== 'RS256') return refuse(400, 'invalid_grant', 'unsupported algorithm');
	if (!crypto.verify('RSA-SHA256', Buffer.from(parts[0] + '.' + parts[1]), config.jwt_public_key, Buffer.from(parts[2], 'base64url'))) return refuse(400, 'invalid_grant', 'invalid assertion');
	if (claims.iss !== tokens.config.client_id) return refuse(400, 'invalid_client_id', 'client identifier invalid');
	if (![].concat(claims.aud).some(a => config.jwt_audiences.includes(a) || a === ctx.base)) return refuse(400, 'invalid_grant', 'audience is invalid');
	const now = clock.now() / 1000;
	if (typeof claims.exp !== 'number' || claims.exp <= now) return refuse(400, 'invalid_grant', 'expired authorization code');
	if (claims.exp > now + 300) return refuse(400, 'invalid_grant', 'invalid assertion: exp is more than 5 minutes ahead');
	if (![...this.store.all('User')].some(u => u.props.Username === claims.sub)) return refuse(400, 'invalid_grant', 'user hasn\'t approved this consumer');
	return null;
}

function token(ctx) {
	const { tokens } = this;
	const b = this.form(ctx);
	const basic = /^Basic (.+)$/.exec(ctx.headers.authorization || '');
	if (basic) {
		const [id, ...rest] = Buffer.from(basic[1], 'base64').toString().split(':');
		b.client_id = b.client_id || decodeURIComponent(id);
		b.client_secret = b.client_secret || decodeURIComponent(rest.join(':'));
	}
	let got;
	if (b.grant_type === 'urn:ietf:params:oauth:grant-type:jwt-bearer') {
		const wrong = jwt.call(this, ctx, b);
		if (wrong) return wrong;
		got = tokens.useClient();
	} else {
		if (b.client_id !== tokens.config.client_id) return refuse(400, 'invalid_client_id', 'client identifier invalid');
		if (!tokens.clientOk(b.client_id, b.client_secret)) return refuse(400, 'invalid_client', 'invalid client credentials');
		if (b.grant_type === 'refresh_token') got = tokens.useRefresh(b.refresh_token);
		else if (b.grant_type === 'client_credentials') got = tokens.useClient();
		else if (b.grant_type === 'password' || b.grant_type === 'authorization_code') {
			const f = tokens.newFamily();
			got = { access: tokens.issueAccess(f), refresh: f.refresh, rotated: true };
		} else return refuse(400, 'unsupported_grant_type', 'grant type not supported');
	}
	if (got.error) return refuse(400, 'invalid_grant', 'expired access/refresh token');
	const instance = this.config.instance_url || ctx.base;
	// No expires_in: how long a session lives is a setting of the org.
	const body = { access_token: got.access, signature: crypto.createHash('sha256').update(got.access).digest('base64'), scope: 'refresh_token api', instance_url: instance, id: `${instance}/id/00DSb0000000001EAA/${this.me}`, token_type: 'Bearer', issued_at: String(ctx.now) };
	if (got.refresh && (got.rotated || b.grant_type !== 'refresh_token')) body.refresh_token = got.refresh;
	return { status: 200, headers: { 'Cache-Control': 'no-store' }, body };
}

function revoke(ctx) {
	const { tokens } = this;
	const t = this.form(ctx).token || ctx.query.get('token');
	const a = tokens.access.get(t), f = a ? a.family : tokens.families.get(tokens.refresh.get(t));
	if (!f) return refuse(400, 'unsupported_token_type', 'this token type is not supported');
	tokens.killFamily(f);
	return { status: 200 };
}
function userInfo(ctx) {
	const u = this.store.get('User', this.me);
	return { status: 200, body: { user_id: u.id, organization_id: '00DSb0000000001EAA', preferred_username: u.props.Username, email: u.props.Email, name: `${u.props.FirstName} ${u.props.LastName}`, urls: { rest: `${ctx.base}/services/data/v{version}/` } } };
}
module.exports = { token, revoke, userInfo };
