// provider.mjs CERT KEY PUBLIC_KEY PORT_FILE
// oidc-provider as a token server on loopback, over TLS: refresh tokens rotate at every use, and a second use of an old one
// revokes the grant, as the standard's security considerations ask. Assertions of the JWT bearer grant (RFC 7523) are judged by
// jose. /control answers how many grants of each kind succeeded, failed and were revoked, and can make a consent.
// Ends with its standard input.
import { createServer } from 'node:https';
import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { createPublicKey } from 'node:crypto';
import { exportJWK, jwtVerify } from 'jose';
import Provider, { errors } from 'oidc-provider';

const [ certFile, keyFile, publicFile, portFile ] = process.argv.slice(2);
const JWT_BEARER = 'urn:ietf:params:oauth:grant-type:jwt-bearer';
const publicKey = createPublicKey(readFileSync(publicFile));
const jwk = { ...await exportJWK(publicKey), use: 'sig', alg: 'RS256' };
const seen = { granted: {}, refused: [], revoked: 0, at_once: 0, most_at_once: 0, assertions: [] };
let lifetime = 1800;

const server = createServer({ cert: readFileSync(certFile), key: readFileSync(keyFile) });
await new Promise((ready) => { server.listen(0, '127.0.0.1', ready); });
const issuer = `https://127.0.0.1:${server.address().port}`;

const common = { redirect_uris: [], response_types: [] };
const provider = new Provider(issuer, {
	clients: [
		{ ...common, client_id: 'rotating', client_secret: 'rotating-secret', token_endpoint_auth_method: 'client_secret_post',
			grant_types: [ 'authorization_code', 'refresh_token' ], redirect_uris: [ 'https://127.0.0.1/back' ], response_types: [ 'code' ] },
		{ ...common, client_id: 'by body', client_secret: 'p&ss=w rd/1', token_endpoint_auth_method: 'client_secret_post', grant_types: [ 'client_credentials' ] },
		{ ...common, client_id: 'by:header', client_secret: 'p:ss% +w/rd', token_endpoint_auth_method: 'client_secret_basic', grant_types: [ 'client_credentials' ] },
		{ ...common, client_id: 'signing', token_endpoint_auth_method: 'private_key_jwt', token_endpoint_auth_signing_alg: 'RS256',
			grant_types: [ 'client_credentials' ], jwks: { keys: [ jwk ] } },
		{ ...common, client_id: 'bearer', client_secret: 'bearer-secret', token_endpoint_auth_method: 'client_secret_post', grant_types: [ JWT_BEARER ] },
	],
	scopes: [ 'openid', 'offline_access', 'crm' ],
	features: { devInteractions: { enabled: false }, clientCredentials: { enabled: true } },
	findAccount: (ctx, id) => ({ accountId: id, claims: () => ({ sub: id }) }),
	rotateRefreshToken: true,
	issueRefreshToken: () => true,
	ttl: { AccessToken: () => lifetime, ClientCredentials: () => lifetime, RefreshToken: 86400, Grant: 86400 },
	cookies: { keys: [ 'not used' ] },
	jwks: undefined,
});

// RFC 7523, 2.1: who signs for a user gets a token of that user
provider.registerGrantType(JWT_BEARER, async (ctx) => {
	const client = ctx.oidc.client;
	let payload;
	try {
		({ payload } = await jwtVerify(ctx.oidc.params.assertion, publicKey, {
			algorithms: [ 'RS256' ], issuer: client.clientId, audience: `${issuer}/token`, requiredClaims: [ 'sub', 'exp', 'iat', 'jti' ], maxTokenAge: '5 min',
		}));
	}
	catch (e) { throw new errors.InvalidGrant(`${e.code}: ${e.message}`); }
	if (seen.assertions.includes(payload.jti)) throw new errors.InvalidGrant('assertion already used');
	seen.assertions.push(payload.jti);
	const grant = new provider.Grant({ clientId: client.clientId, accountId: payload.sub });
	grant.addOIDCScope('openid crm');
	const token = new provider.AccessToken({ client, accountId: payload.sub, grantId: await grant.save(), gty: 'jwt-bearer', scope: 'openid crm' });
	ctx.oidc.entity('AccessToken', token);
	ctx.body = { access_token: await token.save(), expires_in: token.expiration, token_type: token.tokenType, scope: token.scope };
}, [ 'assertion', 'scope' ]);

provider.on('grant.success', (ctx) => { const k = ctx.oidc.params.grant_type; seen.granted[k] = (seen.granted[k] ?? 0) + 1; });
provider.on('grant.error', (ctx, e) => { seen.refused.push(`${ctx.oidc?.params?.grant_type}: ${e.error}: ${e.error_detail ?? e.error_description}`); });
provider.on('grant.revoked', () => { seen.revoked++; });
provider.on('server_error', (ctx, e) => { seen.refused.push(`server_error: ${e.stack}`); });
// a server takes its time: who comes beside the first is seen
provider.use(async (ctx, next) => {
	if (ctx.path !== '/token') return next();
	seen.most_at_once = Math.max(seen.most_at_once, ++seen.at_once);
	await new Promise((done) => { setTimeout(done, 150); });
	try { await next(); }
	finally { seen.at_once--; }
});

async function consent(clientId) {
	const client = await provider.Client.find(clientId);
	const grant = new provider.Grant({ clientId, accountId: 'user-1' });
	grant.addOIDCScope('openid offline_access crm');
	const grantId = await grant.save();
	const token = new provider.RefreshToken({ client, accountId: 'user-1', grantId, scope: 'openid offline_access crm', gty: 'authorization_code', authTime: 1 });
	return { refresh_token: await token.save() };
}
const handle = provider.callback();
server.on('request', async (req, res) => {
	const url = new URL(req.url, issuer);
	if (!url.pathname.startsWith('/control/')) return handle(req, res);
	let answer = {};
	if (url.pathname === '/control/consent') answer = await consent(url.searchParams.get('client'));
	else if (url.pathname === '/control/lifetime') lifetime = Number(url.searchParams.get('s'));
	// is this an access token that the server knows as valid?
	else if (url.pathname === '/control/token') {
		const t = await provider.AccessToken.find(url.searchParams.get('token')) ?? await provider.ClientCredentials.find(url.searchParams.get('token'));
		answer = t ? { valid: t.isValid, client: t.clientId, account: t.accountId ?? null } : { valid: false };
	}
	else answer = seen;
	res.setHeader('content-type', 'application/json');
	return res.end(JSON.stringify(answer));
});
writeFileSync(`${portFile}.new`, JSON.stringify({ issuer }));
renameSync(`${portFile}.new`, portFile);
process.stdin.resume();
process.stdin.on('end', () => process.exit(0));
