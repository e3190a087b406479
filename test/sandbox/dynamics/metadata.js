'use strict';
// EntityDefinitions, their attributes and keys, $metadata, WhoAmI, the search service.
const errors = require('./errors');
const { EDM } = require('./values');

const KIND = { string: 'String', memo: 'Memo', integer: 'Integer', bigint: 'BigInt', decimal: 'Decimal', boolean: 'Boolean', datetime: 'DateTime', date: 'DateTime', picklist: 'Picklist', state: 'State', status: 'Status', uniqueidentifier: 'Uniqueidentifier', lookup: 'Lookup' };
const CAST = { PicklistAttributeMetadata: ['picklist'], StateAttributeMetadata: ['state'], StatusAttributeMetadata: ['status'], StringAttributeMetadata: ['string'], MemoAttributeMetadata: ['memo'], LookupAttributeMetadata: ['lookup'], BooleanAttributeMetadata: ['boolean'], DateTimeAttributeMetadata: ['datetime', 'date'], IntegerAttributeMetadata: ['integer'] };
const label = text => ({ LocalizedLabels: [{ Label: text, LanguageCode: 1033 }], UserLocalizedLabel: { Label: text, LanguageCode: 1033 } });

function attribute(entity, f) {
	const out = { '@odata.type': `#Microsoft.Dynamics.CRM.${KIND[f.type]}AttributeMetadata`, LogicalName: f.name, SchemaName: f.name, EntityLogicalName: entity.logical, AttributeType: KIND[f.type], AttributeTypeName: { Value: `${KIND[f.type]}Type` }, DisplayName: label(f.label),
		RequiredLevel: { Value: f.key || (entity.systemRequired || []).includes(f.name) || f.required ? 'SystemRequired' : f.level || 'None', CanBeChanged: true }, IsValidForCreate: !f.readonly || !!f.key, IsValidForUpdate: !f.readonly, IsValidForRead: true, IsPrimaryId: !!f.key, IsCustomAttribute: f.name.startsWith('callsync_'), MetadataId: '00000000-0000-0000-0000-000000000000' };
	if (f.max) out.MaxLength = f.max;
	if (f.targets) out.Targets = Object.keys(f.targets);
	if (f.type === 'date') out.DateTimeBehavior = { Value: 'DateOnly' };
	return out;
}
const optionSet = f => ({ OptionSetType: KIND[f.type], Options: f.options.map(o => ({ Value: o.value, Label: label(o.label), ...(o.state !== undefined ? { State: o.state } : {}) })) });

function entityOf(ctx) {
	const m = /^LogicalName='(\w+)'$/.exec(ctx.params.name);
	const set = m && ctx.dialect.setOf(m[1]);
	if (!set) throw errors.fail(404, '0x80060888', `Could not find an entity with name ${ctx.params.name}`);
	return { set, entity: ctx.dialect.entity(set) };
}
const pick = (ctx, o) => {
	const s = ctx.query.get('$select');
	if (!s) return o;
	const out = { '@odata.type': o['@odata.type'] };
	for (const k of s.split(',')) if (k in o) out[k] = o[k];
	return out;
};
function describe(set, e) { return { LogicalName: e.logical, EntitySetName: set, LogicalCollectionName: set, PrimaryIdAttribute: e.key, DisplayName: label(e.label), IsActivity: !!e.activity, ChangeTrackingEnabled: true, MetadataId: '00000000-0000-0000-0000-000000000000' }; }
function definitions(ctx) {
	const f = /LogicalName eq '(\w+)'/.exec(ctx.query.get('$filter') || '');
	return { status: 200, body: { value: [...this.entities].filter(([, e]) => !f || e.logical === f[1]).map(([s, e]) => pick(ctx, describe(s, e))) } };
}
function definition(ctx) {
	const { set, entity } = entityOf(ctx);
	return { status: 200, body: pick(ctx, describe(set, entity)) };
}
function attributes(ctx) {
	const { set, entity } = entityOf(ctx);
	const cast = ctx.params.cast && ctx.params.cast.replace('Microsoft.Dynamics.CRM.', '');
	if (cast && !CAST[cast]) throw errors.syntax(`Resource not found for the segment '${ctx.params.cast}'.`);
	const list = [...this.schema.fields(set).values()].filter(f => f.perm !== 'forbidden' && (!cast || CAST[cast].includes(f.type)));
	return { status: 200, body: { '@odata.context': `${ctx.base}/api/data/v9.2/$metadata#EntityDefinitions('${entity.logical}')/Attributes`, value: list.map(f => {
		const out = pick(ctx, attribute(entity, f));
		if (f.options && /OptionSet/.test(ctx.query.get('$expand') || '')) { out.OptionSet = optionSet(f); out.GlobalOptionSet = null; }
		return out;
	}) } };
}
function keysOf(ctx) {
	const { set, entity } = entityOf(ctx);
	return { status: 200, body: { value: [...this.schema.fields(set).values()].filter(f => f.alternateKey).map(f => ({ LogicalName: f.name, SchemaName: f.name, KeyAttributes: [f.name], EntityLogicalName: entity.logical, EntityKeyIndexStatus: 'Active' })) } };
}
function csdl() {
	const x = s => String(s).replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/"/g, '&quot;');
	const types = [...this.entities].map(([set, e]) => `<EntityType Name="${e.logical}"><Key><PropertyRef Name="${e.key}" /></Key>` + [...this.schema.fields(set).values()].map(f => (f.type === 'lookup'
		? `<Property Name="_${f.name}_value" Type="Edm.Guid" />` + [...new Set(Object.values(f.targets))].map(n => `<NavigationProperty Name="${n}" Type="mscrm.${Object.keys(f.targets).find(t => f.targets[t] === n)}" Nullable="false" />`).join('')
		: `<Property Name="${x(f.name)}" Type="${EDM[f.type]}"${f.max ? ` MaxLength="${f.max}"` : ''} />`)).join('') + '</EntityType>').join('');
	const sets = [...this.entities].map(([set, e]) => `<EntitySet Name="${set}" EntityType="Microsoft.Dynamics.CRM.${e.logical}" />`).join('');
	return { status: 200, headers: { 'Content-Type': 'application/xml', 'OData-Version': '4.0' }, body: `<?xml version="1.0" encoding="utf-8"?><edmx:Edmx Version="4.0" xmlns:edmx="http://docs.oasis-open.org/odata/ns/edmx"><edmx:DataServices><Schema Namespace="Microsoft.Dynamics.CRM" Alias="mscrm" xmlns="http://docs.oasis-open.org/odata/ns/edm">${types}<EntityContainer Name="System">${sets}</EntityContainer></Schema></edmx:DataServices></edmx:Edmx>` };
}
function whoAmI(ctx) { return { status: 200, body: { '@odata.context': `${ctx.base}/api/data/v9.2/$metadata#Microsoft.Dynamics.CRM.WhoAmIResponse`, BusinessUnitId: 'a1d9c4ac-0000-4000-8000-000000000001', UserId: this.me, OrganizationId: 'a1d9c4ac-0000-4000-8000-000000000002' } }; }

// The search service has an index of its own that lags, and takes one request a second per user.
function search(ctx) {
	const b = this.body(ctx) || {};
	if (!b.search) throw errors.invalidArgument('search is required');
	const words = String(b.search).toLowerCase().split(/\s+/).filter(Boolean);
	const wanted = typeof b.entities === 'string' ? JSON.parse(b.entities).map(e => e.name || e) : b.entities || ['contact', 'lead', 'account'];
	const value = [];
	for (const logical of wanted) {
		const set = this.setOf(logical);
		if (!set) throw errors.invalidArgument(`entity ${logical} is not searchable`);
		for (const [r, ix] of this.store.searchable(set)) {
			const text = Object.values(ix.props).filter(v => typeof v === 'string').join(' ').toLowerCase();
			const have = text.split(/[^\p{L}\p{N}@._+-]+/u);
			if (words.every(w => have.some(t => (w.endsWith('*') ? t.startsWith(w.slice(0, -1)) : t === w)))) value.push({ '@search.score': 1, '@search.entityname': logical, '@search.objectid': r.id, ...Object.fromEntries(Object.entries(ix.props).filter(([, v]) => typeof v === 'string')) });
		}
	}
	return { status: 200, body: { value: value.slice(0, b.top || 50), totalrecordcount: value.length } };
}
module.exports = { definitions, definition, attributes, keysOf, csdl, whoAmI, search };
