'use strict';
// Describe: objects and fields, with If-Modified-Since.
const ids = require('./ids');
const { visible } = require('./values');

const SOAP = { id: 'tns:ID', reference: 'tns:ID', boolean: 'xsd:boolean', int: 'xsd:int', double: 'xsd:double', currency: 'xsd:double', percent: 'xsd:double', date: 'xsd:date', datetime: 'xsd:dateTime' };

function field(f) {
	return {
		name: f.name, label: f.label, type: f.type, soapType: SOAP[f.type] || 'xsd:string', length: f.max || 0, byteLength: (f.max || 0) * 3, digits: f.type === 'int' ? 8 : 0,
		nillable: !(f.required || f.type === 'boolean' || f.system), defaultedOnCreate: f.default !== undefined || !!f.system || f.type === 'boolean', defaultValue: f.default === '@me' ? null : f.default ?? null,
		createable: !f.readonly, updateable: !f.readonly && !f.noUpdate, calculated: !!f.calculated, custom: f.name.endsWith('__c'), externalId: !!f.externalId, unique: !!f.unique, idLookup: !!f.externalId || f.name === 'Id',
		restrictedPicklist: !!f.restricted, picklistValues: (f.options || []).map(o => ({ active: o.active !== false, defaultValue: f.default === o.value, label: o.label || o.value, validFor: null, value: o.value })),
		referenceTo: f.ref || [], relationshipName: f.rel || null, polymorphicForeignKey: !!(f.ref && f.ref.length > 1), filterable: f.type !== 'textarea', sortable: f.type !== 'textarea', groupable: true, deprecatedAndHidden: false, caseSensitive: false,
	};
}
const summary = (ctx, o) => ({ name: o, label: o, labelPlural: o + 's', keyPrefix: ids.PREFIX[o], createable: o !== 'User', updateable: o !== 'User', deletable: o !== 'User', queryable: true, searchable: true, retrieveable: true, replicateable: true, custom: false,
	urls: { sobject: `/services/data/${ctx.params.ver}/sobjects/${o}`, describe: `/services/data/${ctx.params.ver}/sobjects/${o}/describe`, rowTemplate: `/services/data/${ctx.params.ver}/sobjects/${o}/{ID}` } });

function describe(ctx) {
	const object = this.needObject(ctx.params.object);
	const since = Date.parse(ctx.headers['if-modified-since'] || '');
	const changed = Math.floor(this.schemaChangedAt / 1000) * 1000;
	const headers = { 'Last-Modified': new Date(changed).toUTCString() };
	if (!Number.isNaN(since) && since >= changed) return { status: 304, headers };
	return { status: 200, headers, body: { ...summary(ctx, object), fields: [...this.schema.fields(object).values()].filter(visible).map(f => ({ ...field(f) })), recordTypeInfos: [], childRelationships: [] } };
}
const global = function global(ctx) {
	return { status: 200, body: { encoding: 'UTF-8', maxBatchSize: 200, sobjects: [...this.schema.objects.keys()].map(o => summary(ctx, o)) } };
};
function basic(ctx) {
	const object = this.needObject(ctx.params.object);
	return { status: 200, body: { objectDescribe: summary(ctx, object), recentItems: [] } };
}
const VERSIONS = [58, 59, 60, 61, 62, 63, 64, 65, 66, 67, 68];
const versions = () => ({ status: 200, body: VERSIONS.map(v => ({ label: `API ${v}`, url: `/services/data/v${v}.0`, version: `${v}.0` })) });
function resources(ctx) {
	const base = `/services/data/${ctx.params.ver}`;
	return { status: 200, body: { sobjects: base + '/sobjects', query: base + '/query', queryAll: base + '/queryAll', search: base + '/search', composite: base + '/composite', limits: base + '/limits', parameterizedSearch: base + '/parameterizedSearch' } };
}
function limits() {
	const w = this.limits.window('DailyApiRequests');
	const used = this.usage();
	return { status: 200, body: { DailyApiRequests: { Max: w.max, Remaining: Math.max(0, w.max - used) }, DataStorageMB: { Max: 1024, Remaining: 1000 }, DailyBulkApiBatches: { Max: 15000, Remaining: 15000 } } };
}
module.exports = { describe, global, basic, versions, resources, limits };
