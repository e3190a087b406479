'use strict';
// The HubSpot dialect: what routes there are and in which words it refuses.
const { Dialect } = require('../lib/dialect');
const errors = require('./errors');
const objects = require('./objects');
const batch = require('./batch');
const { search } = require('./search');
const { Associations } = require('./associations');
const metadata = require('./metadata');
const oauth = require('./oauth');
const properties = require('./properties.json');
const seed = require('./seed.json');

const BURST = 'TEN_SECONDLY_ROLLING', DAY = 'DAILY', SEARCH = 'SECONDLY';
const FIRST_ID = { contacts: 51001, companies: 61001, deals: 71001, tickets: 81001, calls: 91001, tasks: 92001, meetings: 93001, notes: 94001, leads: 95001 };

class HubSpot extends Dialect {
	constructor(sandbox) {
		super(sandbox, 'hubspot', {
			schema: properties,
			tokens: { lifetime_ms: 1800000, rotate: true },
			limits: [
				{ name: BURST, max: 190, ms: 10000, ops: '^(?!search$)' },
				{ name: DAY, max: 650000, kind: 'day' },
				{ name: SEARCH, max: 4, ms: 1000, ops: '^search$' },
			],
			config: { batch_max: 100, strict_types: true },
		});
		this.portalId = seed.portalId;
		this.types = new Map(seed.objectTypes.map(t => [t.name, t]));
		this.owners = seed.owners;
		this.pipelines = seed.pipelines;
		this.associations = new Associations(this);
		this.defaultHeaders = { 'Content-Type': 'application/json;charset=utf-8' };
		this.#routes();
	}

	/* ---- objects ---- */

	type(object) { return this.types.get(object); }
	// contacts, contact, 0-1 and CONTACT all name the same.
	objectName(text) {
		const t = String(text).toLowerCase();
		for (const o of this.types.values()) if (t === o.name || t === o.singular || t === o.typeId) return o.name;
		return undefined;
	}
	needObject(text) {
		const object = this.objectName(text);
		if (!object) throw errors.invalid(`Unable to infer object type from: ${text}`);
		return object;
	}
	here(ctx) {
		ctx.object = this.needObject(ctx.params.object);
		return { dialect: this, object: ctx.object };
	}
	defaultProperties(object) { return seed.defaults[object] || seed.defaults.other; }
	newId(object) { return String(this.store.newNumber(object, FIRST_ID[object] || 10001)); }
	uniqueKey(value) { return String(value).trim().toLowerCase(); }
	seedStore() {
		for (const [object, fields] of this.schema.objects) {
			this.store.table(object);
			for (const f of fields.values()) if (f.unique) this.store.defineUnique(object, f.name, this.uniqueKey);
		}
	}
	restored() {
		for (const r of this.store.all('contacts')) for (const email of (r.props.hs_additional_emails || '').split(';').filter(Boolean)) this.store.alias('contacts', 'email', email, r.id);
	}
	schemaChanged(a) {
		if (a.object) {
			for (const f of this.schema.fields(a.object).values()) if (f.unique && !this.store.isUnique(a.object, f.name)) this.store.defineUnique(a.object, f.name, this.uniqueKey);
			for (const p of [...this.store.table(a.object).unique.keys()]) if (!this.schema.field(a.object, p)?.unique) this.store.dropUnique(a.object, p);
		}
	}
	seedRecord(object, props) {
		const text = {};
		for (const [k, v] of Object.entries(props)) if (v !== null && v !== undefined) text[k] = String(v);
		if (text.email) text.email = text.email.toLowerCase();
		return super.seedRecord(object, text);
	}

	/* ---- words ---- */

	body(ctx) {
		const b = this.json(ctx);
		if (b === undefined) throw errors.badInput('No content to map due to end-of-input');
		return b;
	}
	badJson(ctx, e) { return errors.badInput(e.message); }
	noRoute(ctx, found) {
		return found ? errors.error(405, undefined, 'HTTP 405 Method Not Allowed') : errors.error(404, undefined, 'resource not found');
	}
	denied(ctx, verdict) {
		if (verdict === 'expired') return errors.error(401, 'EXPIRED_AUTHENTICATION', 'The OAuth token used to make this call expired.', { context: { 'expire time': [this.clock.iso()] } });
		return errors.error(401, 'INVALID_AUTHENTICATION', 'Authentication credentials not found. This API supports OAuth 2.0 authentication and you can find more details at https://developers.hubspot.com/docs/methods/auth/oauth-overview');
	}
	throttled(ctx, w) {
		return errors.error(429, undefined, w.name === DAY ? 'You have reached your daily limit.' : `You have reached your ${w.name.toLowerCase()} limit.`,
			{ errorType: 'RATE_LIMIT', policyName: w.name, requestId: errors.correlationId() });
	}
	limitHeaders(ctx) {
		if (!this.limits.enabled || ctx.route.op === 'search') return;
		const now = this.clock.now(), burst = this.limits.window(BURST), day = this.limits.window(DAY);
		const h = ctx.replyHeaders;
		h['X-HubSpot-RateLimit-Interval-Milliseconds'] = burst.ms;
		h['X-HubSpot-RateLimit-Max'] = burst.max;
		h['X-HubSpot-RateLimit-Remaining'] = burst.remaining(now);
		h['X-HubSpot-RateLimit-Daily'] = day.max;
		h['X-HubSpot-RateLimit-Daily-Remaining'] = day.remaining(now);
	}
	faultReply(kind, act) {
		const of = e => ({ status: e.status, headers: e.headers, body: e.body });
		const words = {
			400: () => errors.invalid('Invalid input (fault of the sandbox)'), 401: () => this.denied(null, act.expired ? 'expired' : 'unknown'),
			403: () => errors.missingScopes(['crm.objects.contacts.write']), 404: () => errors.notFound(), 409: () => errors.exists('Contact', act.existing_id || '1'),
			423: () => errors.error(423, undefined, 'Locked'), 477: () => errors.error(477, 'MIGRATION_IN_PROGRESS', 'Migration in progress'),
		};
		if (kind === 'throttle') return of(this.throttled(null, { name: act.policy || BURST }));
		if (kind === 429) return of(this.throttled(null, { name: act.policy || BURST }));
		if (words[kind]) return of(words[kind]());
		return of(errors.error(kind, undefined, kind === 503 ? 'Service temporarily unavailable' : 'internal error'));
	}
	// v3 and v4 are older than every date version.
	versionAtLeast(ctx, wanted) { return /^\d{4}-\d{2}$/.test(ctx.params.ver || '') && ctx.params.ver >= wanted; }

	/* ---- routes ---- */

	#routes() {
		const DATE = '(\\d{4}-\\d{2}(?:-beta)?)';
		// Every path exists in the old form /crm/v3/AREA/... and the dated form /crm/AREA/2026-03/...
		const crm = (method, area, rest, op, handler, old = 'v3|v4') => {
			this.route(method, `/crm/:ver(${old})/${area}${rest}`, op, handler);
			this.route(method, `/crm/${area}/:ver${DATE}${rest}`, op, handler);
		};
		const assoc = name => function handle(ctx) { return this.associations[name](ctx); };

		for (const [name, op] of [['create', 'batch_create'], ['read', 'batch_read'], ['update', 'batch_update'], ['upsert', 'batch_upsert'], ['archive', 'batch_archive']]) {
			crm('POST', 'objects', `/:object/batch/${name}`, op, batch[name]);
		}
		crm('POST', 'objects', '/:object/search', 'search', search);
		crm('POST', 'objects', '/:object/merge', 'merge', objects.merge);
		crm('POST', 'objects', '/:object/gdpr-delete', 'gdpr_delete', objects.gdprDelete);
		crm('GET', 'objects', '/:object', 'list', objects.list);
		crm('POST', 'objects', '/:object', 'create', objects.create);
		crm('GET', 'objects', '/:object/:id', 'read', objects.read);
		crm('PATCH', 'objects', '/:object/:id', 'update', objects.update);
		crm('DELETE', 'objects', '/:object/:id', 'delete', objects.remove);

		crm('PUT', 'objects', '/:from/:id/associations/default/:to/:toId', 'associate', assoc('putDefault'), 'v4');
		crm('PUT', 'objects', '/:from/:id/associations/:to/:toId', 'associate', assoc('putLabelled'), 'v4');
		crm('DELETE', 'objects', '/:from/:id/associations/:to/:toId', 'disassociate', assoc('remove'), 'v4');
		crm('GET', 'objects', '/:from/:id/associations/:to', 'associations', assoc('list'));
		this.route('PUT', '/crm/:ver(v3)/objects/:from/:id/associations/:to/:toId/:type', 'associate', assoc('putV3'));
		this.route('DELETE', '/crm/:ver(v3)/objects/:from/:id/associations/:to/:toId/:type', 'disassociate', assoc('removeV3'));
		crm('POST', 'associations', '/:from/:to/batch/create', 'associate', assoc('batchCreate'));
		crm('POST', 'associations', '/:from/:to/batch/associate/default', 'associate', assoc('batchDefault'), 'v4');
		crm('POST', 'associations', '/:from/:to/batch/read', 'associations', assoc('batchRead'));
		crm('POST', 'associations', '/:from/:to/batch/archive', 'disassociate', assoc('batchArchive'));
		crm('GET', 'associations', '/:from/:to/labels', 'labels', assoc('labels'), 'v4');

		crm('GET', 'properties', '/:object', 'describe', metadata.listProperties);
		crm('POST', 'properties', '/:object', 'create_property', metadata.createProperty);
		crm('POST', 'properties', '/:object/batch/create', 'create_property', metadata.batchCreateProperties);
		crm('GET', 'properties', '/:object/:name', 'describe', metadata.readProperty);
		crm('PATCH', 'properties', '/:object/:name', 'update_property', metadata.updateProperty);
		crm('DELETE', 'properties', '/:object/:name', 'delete_property', metadata.removeProperty);
		crm('GET', 'property-validations', '/:object', 'validations', metadata.validations);
		crm('GET', 'owners', '', 'owners', metadata.listOwners);
		crm('GET', 'owners', '/:id', 'owners', metadata.readOwner);
		crm('GET', 'pipelines', '/:object', 'pipelines', metadata.listPipelines);
		crm('GET', 'pipelines', '/:object/:id', 'pipelines', metadata.readPipeline);
		crm('GET', 'pipelines', '/:object/:id/:what(stages)', 'pipelines', metadata.readPipeline);
		this.route('GET', '/calling/v1/dispositions', 'dispositions', metadata.dispositions);

		this.route('POST', '/oauth/:ver(v1|v3|\\d{4}-\\d{2})/token', 'token', oauth.token, { open: true });
		this.route('GET', '/oauth/v1/access-tokens/:token', 'token_info', oauth.info, { open: true });
		this.route('GET', '/account-info/v3/details', 'account', () => ({ status: 200, body: { portalId: seed.portalId, timeZone: 'US/Eastern', accountType: 'SANDBOX', utcOffset: '-05:00' } }));
		this.route('GET', '/account-info/:ver(\\d{4}-\\d{2})/details', 'account', () => ({ status: 200, body: { portalId: seed.portalId, timeZone: 'US/Eastern', accountType: 'SANDBOX', utcOffset: '-05:00' } }));
	}
}
module.exports = HubSpot;
