'use strict';
const test = require('node:test');
const assert = require('node:assert');
const { start, call } = require('./helper');

const V3 = '/crm/v3/objects';
const make = (s, object, properties, associations = []) => s.post(`${V3}/${object}`, { properties, associations });
const codes = r => r.json.errors.map(e => e.code).sort();

test('values are rewritten as HubSpot does', async t => {
	const s = await start(t, ['hubspot']);
	const r = await make(s, 'calls', { hs_timestamp: '1781192520000', hs_call_body: '<b>x</b><script>alert(1)</script><i onclick="y()">z</i>', hs_call_title: '  A call ', hs_call_duration: '90000.0',
		callsync_escalated: 'TRUE', callsync_preferred_date: '2026-06-15T14:00:00+02:00', callsync_summary: ' kept ' });
	assert.strictEqual(r.status, 201);
	const p = r.json.properties;
	assert.strictEqual(p.hs_timestamp, '2026-06-11T15:42:00.000Z');
	assert.strictEqual(p.hs_call_body, '<b>x</b><i>z</i>');
	assert.strictEqual(p.hs_call_title, 'A call');
	assert.strictEqual(p.hs_call_duration, '90000');
	assert.strictEqual(p.callsync_escalated, 'true');
	assert.strictEqual(p.callsync_preferred_date, '2026-06-15T12:00:00.000Z');
	assert.strictEqual(p.callsync_summary, ' kept ');
	assert.strictEqual(p.hs_body_preview, 'x z');
	const c = (await make(s, 'contacts', { email: 'Ann@EXAMPLE.com', callsync_interests: 'sales;parts', callsync_last_call_date: '2026-06-11' })).json;
	assert.strictEqual(c.properties.email, 'ann@example.com');
	assert.strictEqual(c.properties.callsync_last_call_date, '2026-06-11');
	await s.patch(`${V3}/contacts/${c.id}`, { properties: { lifecyclestage: 'customer' } });
	assert.strictEqual((await s.patch(`${V3}/contacts/${c.id}`, { properties: { lifecyclestage: 'lead' } })).json.properties.lifecyclestage, 'customer', 'never backwards, silently');
	assert.strictEqual((await s.patch(`${V3}/contacts/${c.id}`, { properties: { lifecyclestage: '' } })).json.properties.lifecyclestage, undefined, 'an empty string clears');
});

test('validation errors carry HubSpot\'s codes', async t => {
	const s = await start(t, ['hubspot']);
	const r = await make(s, 'contacts', { nope: '1', hs_lead_status: 'Open', hs_object_id: '1', email: 'not a mail', callsync_call_count: 'many', callsync_last_call_date: '2026-06-11T01:00:00Z',
		callsync_last_call_at: 'yesterday', hubspot_owner_id: '1', callsync_ai_generated: 'yes' });
	assert.strictEqual(r.status, 400);
	assert.strictEqual(r.json.category, 'VALIDATION_ERROR');
	assert.deepStrictEqual(codes(r), ['INVALID_DATE', 'INVALID_EMAIL', 'INVALID_INTEGER', 'INVALID_LONG', 'INVALID_OPTION', 'INVALID_OPTION', 'INVALID_OWNER_ID', 'PROPERTY_DOESNT_EXIST', 'READ_ONLY_VALUE']);
	assert.match(r.json.message, /^Property values were not valid: \[\{"isValid":false/);
	assert.deepStrictEqual(codes(await make(s, 'contacts', { firstname: 'x'.repeat(65537) })), ['PROPERTY_VALUE_TOO_LONG']);
	assert.match((await make(s, 'contacts', { callsync_call_count: 5 })).json.message, /java.lang.String/, 'numbers must be strings');
	assert.match((await s.post(`${V3}/contacts`, '{"properties":')).json.message, /^Invalid input JSON/);
	for (const object of ['calls', 'tasks', 'meetings', 'notes']) {
		const missing = await make(s, object, {});
		assert.strictEqual(missing.status, 400);
		assert.deepStrictEqual(missing.json.context, { properties: ['hs_timestamp'] }, object);
	}
	assert.deepStrictEqual((await make(s, 'tickets', { subject: 'x' })).json.context, { properties: ['hs_pipeline_stage'] });
	assert.deepStrictEqual(codes(await make(s, 'tickets', { subject: 'x', hs_pipeline: '0', hs_pipeline_stage: 'appointmentscheduled' })), ['INVALID_OPTION']);
	assert.deepStrictEqual(codes(await make(s, 'calls', { hs_timestamp: '1', hs_call_disposition: 'Connected' })), ['INVALID_OPTION'], 'a label is no value');
	assert.strictEqual((await make(s, 'unicorns', {})).status, 400);
	assert.strictEqual((await s.get('/crm/v3/nothing')).status, 404);
});

test('e-mail and custom unique properties are unique', async t => {
	const s = await start(t, ['hubspot']);
	const a = (await make(s, 'contacts', { email: 'a@b.co', callsync_key: 'K1' })).json;
	const twin = await make(s, 'contacts', { email: 'A@B.co' });
	assert.deepStrictEqual([twin.status, twin.json.category, twin.json.message], [409, 'CONFLICT', `Contact already exists. Existing ID: ${a.id}`]);
	assert.deepStrictEqual(codes(await make(s, 'contacts', { callsync_key: 'k1' })), ['CONFLICTING_UNIQUE_VALUE']);
	const b = (await make(s, 'contacts', { email: 'b@b.co' })).json;
	assert.strictEqual((await s.patch(`${V3}/contacts/${b.id}`, { properties: { email: 'a@b.co' } })).status, 409);
	assert.strictEqual((await s.del(`${V3}/contacts/${a.id}`)).status, 204);
	assert.strictEqual((await s.del(`${V3}/contacts/${a.id}`)).status, 204, 'deleting twice is no error');
	assert.strictEqual((await make(s, 'contacts', { email: 'a@b.co' })).status, 201, 'an archived record frees its e-mail');
});

test('read: properties, idProperty, archived, list with paging', async t => {
	const s = await start(t, ['hubspot']);
	const ids = [];
	for (let i = 0; i < 5; i++) ids.push((await make(s, 'contacts', { email: `p${i}@x.co`, callsync_key: `k${i}` })).json.id);
	let r = await s.get(`${V3}/contacts/p3@x.co?idProperty=email&properties=phone,callsync_key,unknown_one`);
	assert.strictEqual(r.json.id, ids[3]);
	assert.strictEqual(r.json.properties.phone, null);
	assert.strictEqual(r.json.properties.callsync_key, 'k3');
	assert.ok(!('unknown_one' in r.json.properties));
	assert.deepStrictEqual(Object.keys((await s.get(`${V3}/contacts/${ids[0]}`)).json.properties).sort(), ['createdate', 'email', 'firstname', 'hs_object_id', 'lastmodifieddate', 'lastname']);
	r = await s.get(`${V3}/contacts/x?idProperty=firstname`);
	assert.match(r.json.message, /non-unique 0-1 property firstname/);
	r = await s.get(`${V3}/contacts/999999`);
	assert.deepStrictEqual([r.status, r.json.category], [404, 'OBJECT_NOT_FOUND']);
	await s.del(`${V3}/contacts/${ids[1]}`);
	assert.strictEqual((await s.get(`${V3}/contacts/${ids[1]}`)).status, 404);
	assert.ok((await s.get(`${V3}/contacts/${ids[1]}?archived=true`)).json.archivedAt);
	assert.deepStrictEqual((await s.get(`${V3}/contacts?archived=true`)).json.results.map(x => x.id), [ids[1]]);
	r = await s.get(`${V3}/contacts?limit=3`);
	assert.deepStrictEqual(r.json.results.map(x => x.id), [ids[0], ids[2], ids[3]]);
	r = await s.get(`${V3}/contacts?limit=3&after=${r.json.paging.next.after}`);
	assert.deepStrictEqual([r.json.results.map(x => x.id), r.json.paging], [[ids[4]], undefined]);
	r = await s.patch('/crm/objects/2026-09/contacts/k4?idProperty=callsync_key', { properties: { firstname: 'Kay' } });
	assert.deepStrictEqual([r.status, r.json.id], [200, ids[4]]);
});

test('batch: all or nothing without trace ids, 207 with them', async t => {
	const s = await start(t, ['hubspot']);
	const inputs = [{ properties: { email: 'a@x.co' } }, { properties: { email: 'bad' } }, { properties: { email: 'c@x.co' } }];
	let r = await s.post(`${V3}/contacts/batch/create`, { inputs });
	assert.deepStrictEqual([r.status, codes(r)], [400, ['INVALID_EMAIL']]);
	assert.strictEqual((await s.records('contacts')).length, 0);
	r = await s.post(`${V3}/contacts/batch/create`, { inputs: inputs.map((i, n) => ({ ...i, objectWriteTraceId: `t${n}` })) });
	assert.strictEqual(r.status, 207);
	assert.strictEqual(r.json.numErrors, 1);
	assert.deepStrictEqual(r.json.results.map(x => x.objectWriteTraceId).sort(), ['t0', 't2']);
	assert.deepStrictEqual(r.json.errors[0].context, { objectWriteTraceId: ['t1'] });
	r = await s.post(`${V3}/contacts/batch/create`, { inputs: Array.from({ length: 101 }, (_, i) => ({ properties: { email: `n${i}@x.co` } })) });
	assert.deepStrictEqual([r.status, r.json.category], [400, 'VALIDATION_ERROR']);
	r = await s.post(`${V3}/contacts/batch/create`, { inputs: [{ properties: { email: 'z@x.co' } }, { properties: { email: 'Z@x.co' } }] });
	assert.strictEqual(r.status, 400, 'twins in one batch');
});

test('batch upsert: new, idProperty, order of results, repeated ids', async t => {
	const s = await start(t, ['hubspot']);
	const upsert = (object, inputs, base = V3) => s.post(`${base}/${object}/batch/upsert`, { inputs });
	const calls = n => Array.from({ length: n }, (_, i) => ({ id: `c-${i}`, idProperty: 'callsync_key', objectWriteTraceId: `t${i}`, properties: { hs_timestamp: '2026-06-11T15:42:00Z', callsync_key: `c-${i}` } }));
	let r = await upsert('calls', calls(20), '/crm/objects/2026-03');
	assert.strictEqual(r.status, 200);
	assert.ok(r.json.results.every(x => x.new === true));
	assert.notDeepStrictEqual(r.json.results.map(x => x.objectWriteTraceId), calls(20).map(x => x.objectWriteTraceId), 'not in input order');
	const byTrace = new Map(r.json.results.map(x => [x.objectWriteTraceId, x]));
	assert.strictEqual(byTrace.get('t7').properties.callsync_key, 'c-7');
	r = await upsert('calls', calls(21));
	assert.strictEqual(r.json.results.filter(x => x.new).length, 1);
	assert.strictEqual((await s.records('calls')).length, 21);
	r = await upsert('contacts', [{ id: 'New@X.co', idProperty: 'email', properties: { firstname: 'N' } }]);
	assert.deepStrictEqual([r.json.results[0].new, r.json.results[0].properties.email], [true, 'new@x.co']);
	r = await upsert('contacts', [{ id: 'new@x.co', idProperty: 'email', properties: { lastname: 'M' } }]);
	assert.deepStrictEqual([r.json.results[0].new, r.json.results[0].properties.lastname], [false, 'M']);
	r = await upsert('calls', [calls(1)[0], calls(1)[0]]);
	assert.match(r.json.message, /Duplicate IDs found in batch input|objectWriteTraceId must be unique/);
	r = await upsert('contacts', [{ id: 'N', idProperty: 'firstname', properties: {} }]);
	assert.match(r.json.message, /Unable to perform update\/upsert by non-unique 0-1 property firstname in portal ID \d+/);
	r = await upsert('contacts', [{ id: 'N', properties: {} }]);
	assert.strictEqual(r.status, 400);
});

test('batch update, read, archive', async t => {
	const s = await start(t, ['hubspot']);
	const ids = [];
	for (let i = 0; i < 3; i++) ids.push((await make(s, 'contacts', { email: `p${i}@x.co` })).json.id);
	let r = await s.post(`${V3}/contacts/batch/update`, { inputs: [{ id: ids[0], properties: { firstname: 'A' }, objectWriteTraceId: 'a' }, { id: '5', properties: { firstname: 'B' }, objectWriteTraceId: 'b' }] });
	assert.deepStrictEqual([r.status, r.json.results[0].properties.firstname, r.json.errors[0].category, r.json.errors[0].context.objectWriteTraceId], [207, 'A', 'OBJECT_NOT_FOUND', ['b']]);
	r = await s.post(`${V3}/contacts/batch/read`, { inputs: [{ id: 'P1@x.co' }, { id: 'nobody@x.co' }], idProperty: 'email', properties: ['email', 'firstname'] });
	assert.deepStrictEqual([r.status, r.json.results.map(x => x.id), r.json.errors[0].context.ids], [207, [ids[1]], ['nobody@x.co']]);
	assert.strictEqual((await s.post(`${V3}/contacts/batch/archive`, { inputs: [{ id: ids[0] }, { id: ids[2] }] })).status, 204);
	assert.deepStrictEqual((await s.records('contacts')).map(x => x.id), [ids[1]]);
});

test('search: operators, groups, lag, phone properties', async t => {
	const s = await start(t, ['hubspot']);
	const find = async (filters, more = {}) => {
		const r = await s.post(`${V3}/contacts/search`, { filterGroups: [{ filters }], properties: ['email'], limit: 10, after: '0', sorts: [], ...more });
		return r.status === 200 ? r.json.results.map(x => x.properties.email && x.properties.email.split('@')[0]) : r;
	};
	const f = (propertyName, operator, value, more) => [{ propertyName, operator, value, ...more }];
	await make(s, 'contacts', { email: 'ann@x.co', phone: '+1 (555) 123-4567', firstname: 'Ann', callsync_call_count: '3', zip: '10001' });
	await make(s, 'contacts', { email: 'bob@y.co', mobilephone: '555.123.4567', firstname: 'Bob', callsync_call_count: '12' });
	await make(s, 'contacts', { email: 'eve@y.co', phone: '+49 (0)30 1234567', firstname: 'Eve' });
	assert.deepStrictEqual(await find(f('hs_searchable_calculated_phone_number', 'EQ', '5551234567')), ['ann']);
	assert.deepStrictEqual(await find(f('hs_searchable_calculated_mobile_number', 'CONTAINS_TOKEN', '*1234567')), ['bob']);
	assert.deepStrictEqual(await find(f('hs_searchable_calculated_phone_number', 'EQ', '301234567')), ['eve']);
	assert.deepStrictEqual(await find(f('phone', 'EQ', '5551234567')), [], 'phone itself is compared literally');
	assert.deepStrictEqual(await find(f('email', 'EQ', 'ANN@x.co')), ['ann']);
	assert.deepStrictEqual(await find(f('callsync_call_count', 'GTE', '12')), ['bob'], 'numbers compare as numbers');
	assert.deepStrictEqual(await find(f('callsync_call_count', 'BETWEEN', '1', { highValue: '5' })), ['ann']);
	assert.deepStrictEqual(await find([{ propertyName: 'firstname', operator: 'IN', values: ['ann', 'eve'] }]), ['ann', 'eve']);
	assert.deepStrictEqual(await find(f('zip', 'HAS_PROPERTY')), ['ann']);
	assert.deepStrictEqual(await find(f('zip', 'NOT_HAS_PROPERTY')), ['bob', 'eve']);
	assert.deepStrictEqual(await find(f('email', 'CONTAINS_TOKEN', '*@y.co')), ['bob', 'eve']);
	assert.deepStrictEqual(await find(f('firstname', 'NEQ', 'ann')), ['bob', 'eve']);
	assert.deepStrictEqual(await find([...f('firstname', 'EQ', 'ann'), ...f('zip', 'EQ', 'x')]), [], 'filters are AND');
	assert.deepStrictEqual(await find([], { filterGroups: [{ filters: f('firstname', 'EQ', 'ann') }, { filters: f('firstname', 'EQ', 'bob') }] }), ['ann', 'bob'], 'groups are OR');
	assert.deepStrictEqual(await find([], { filterGroups: [], query: '5551234567' }), ['ann', 'bob']);
	assert.deepStrictEqual(await find([], { filterGroups: [], sorts: [{ propertyName: 'firstname', direction: 'DESCENDING' }] }), ['eve', 'bob', 'ann']);
	assert.strictEqual((await find(f('nope', 'EQ', '1'))).json.errors[0].code, 'PROPERTY_DOESNT_EXIST');
	assert.strictEqual((await find([], { limit: 201 })).status, 400);
	assert.strictEqual((await find([], { limit: 200, after: '9900' })).status, 400, 'no more than 10,000');
	const paged = await s.post(`${V3}/contacts/search`, { limit: 2 });
	assert.deepStrictEqual([paged.json.total, paged.json.results.length, paged.json.paging.next.after], [3, 2, '2']);

	await s.ctl('POST', '/config', { dialect: 'hubspot', search_lag_ms: 30000 });
	await make(s, 'contacts', { email: 'new@x.co', firstname: 'New' });
	assert.deepStrictEqual(await find(f('firstname', 'EQ', 'New')), [], 'not indexed yet');
	assert.strictEqual((await s.get(`${V3}/contacts/new@x.co?idProperty=email`)).status, 200, 'but there');
	await s.ctl('POST', '/clock', { advance_ms: 30001 });
	assert.deepStrictEqual(await find(f('firstname', 'EQ', 'New')), ['new']);
	const since = new Date(Date.now() + 15000).toISOString();
	await s.patch(`${V3}/contacts/new@x.co?idProperty=email`, { properties: { firstname: 'Newer' } });
	assert.deepStrictEqual(await find(f('lastmodifieddate', 'GTE', since)), []);
	await s.ctl('POST', '/flush_index?dialect=hubspot');
	assert.deepStrictEqual(await find(f('lastmodifieddate', 'GTE', since)), ['new']);
});

test('associations: at create, v4, date version, v3, batches, labels', async t => {
	const s = await start(t, ['hubspot']);
	const c = (await make(s, 'contacts', { email: 'a@x.co' })).json.id, co = (await make(s, 'companies', { name: 'X' })).json.id;
	const link = (id, typeId, category = 'HUBSPOT_DEFINED') => [{ to: { id }, types: [{ associationCategory: category, associationTypeId: typeId }] }];
	const call1 = (await make(s, 'calls', { hs_timestamp: '1' }, link(c, 194))).json.id;
	let r = await s.get(`${V3}/calls/${call1}?associations=contacts,companies`);
	assert.deepStrictEqual(r.json.associations, { contacts: { results: [{ id: c, type: 'call_to_contact' }] } });
	assert.deepStrictEqual((await s.get(`/crm/v4/objects/contacts/${c}/associations/calls`)).json.results, [{ toObjectId: Number(call1), associationTypes: [{ category: 'HUBSPOT_DEFINED', typeId: 193, label: null }] }], 'the other direction');
	assert.strictEqual((await make(s, 'calls', { hs_timestamp: '1' }, link(c, 202))).status, 400, 'a type of notes');
	assert.match((await make(s, 'calls', { hs_timestamp: '1' }, link('999', 194))).json.message, /CONTACT=999 is not valid/);
	assert.strictEqual((await s.records('calls')).length, 1, 'nothing was half created');

	assert.strictEqual((await s.put(`/crm/objects/2026-03/calls/${call1}/associations/default/companies/${co}`)).status, 200);
	r = await s.put(`/crm/v4/objects/contacts/${c}/associations/companies/${co}`, [{ associationCategory: 'HUBSPOT_DEFINED', associationTypeId: 1 }]);
	assert.deepStrictEqual([r.status, r.json.labels], [201, ['Primary']]);
	assert.strictEqual((await s.put(`/crm/v4/objects/contacts/${c}/associations/default/companies/31337`)).status, 404);
	const n = (await make(s, 'notes', { hs_timestamp: '1' })).json.id;
	r = await s.put(`/crm/v3/objects/notes/${n}/associations/contacts/${c}/note_to_contact`);
	assert.deepStrictEqual(r.json.associations.contacts.results, [{ id: c, type: 'note_to_contact' }]);
	assert.deepStrictEqual((await s.get(`/crm/v3/objects/notes/${n}/associations/contacts`)).json.results, [{ id: c, type: 'note_to_contact' }]);
	assert.strictEqual((await s.del(`/crm/v3/objects/notes/${n}/associations/contacts/${c}/202`)).status, 204);

	const t1 = (await make(s, 'tasks', { hs_timestamp: '1' })).json.id;
	r = await s.post('/crm/associations/2026-03/tasks/contacts/batch/create', { inputs: [{ from: { id: t1 }, to: { id: c }, types: [{ associationCategory: 'HUBSPOT_DEFINED', associationTypeId: 204 }] }, { from: { id: t1 }, to: { id: '1' }, types: [{ associationCategory: 'HUBSPOT_DEFINED', associationTypeId: 204 }] }] });
	assert.deepStrictEqual([r.status, r.json.results.length, r.json.numErrors], [207, 1, 1]);
	r = await s.post('/crm/v4/associations/notes/contacts/batch/associate/default', { inputs: [{ from: { id: n }, to: { id: c } }] });
	assert.strictEqual(r.json.results[0].associationSpec.associationTypeId, 202);
	r = await s.post('/crm/v4/associations/contacts/tasks/batch/read', { inputs: [{ id: c }] });
	assert.strictEqual(r.json.results[0].to[0].toObjectId, Number(t1));
	assert.strictEqual((await s.post('/crm/v4/associations/contacts/tasks/batch/archive', { inputs: [{ from: { id: c }, to: [{ id: t1 }] }] })).status, 204);
	assert.deepStrictEqual((await s.get(`/crm/v4/objects/tasks/${t1}/associations/contacts`)).json.results, []);
	assert.deepStrictEqual((await s.get('/crm/v4/associations/0-48/0-1/labels')).json.results, [{ category: 'HUBSPOT_DEFINED', typeId: 194, label: null }]);
});

test('merge and privacy deletion', async t => {
	const s = await start(t, ['hubspot']);
	const a = (await make(s, 'contacts', { email: 'a@x.co' })).json.id, b = (await make(s, 'contacts', { email: 'b@x.co', phone: '1' })).json.id;
	const call1 = (await make(s, 'calls', { hs_timestamp: '1' }, [{ to: { id: b }, types: [{ associationCategory: 'HUBSPOT_DEFINED', associationTypeId: 194 }] }])).json.id;
	const r = await s.post(`${V3}/contacts/merge`, { primaryObjectId: a, objectIdToMerge: b });
	assert.deepStrictEqual([r.json.id, r.json.properties.phone, r.json.properties.hs_additional_emails], [a, '1', 'b@x.co']);
	assert.strictEqual((await s.get(`${V3}/contacts/${b}`)).json.id, a, 'the old id answers under the survivor');
	assert.strictEqual((await s.get(`${V3}/contacts/b@x.co?idProperty=email`)).json.id, a, 'so does the old e-mail');
	assert.strictEqual((await s.get(`${V3}/calls/${call1}?associations=contacts`)).json.associations.contacts.results[0].id, a);
	assert.strictEqual((await s.post(`${V3}/contacts/gdpr-delete`, { objectId: 'a@x.co', idProperty: 'email' })).status, 204);
	assert.strictEqual((await s.get(`${V3}/contacts/${a}?archived=true`)).status, 404);
});

test('metadata: properties, owners, pipelines, outcomes, validations', async t => {
	const s = await start(t, ['hubspot']);
	const list = (await s.get('/crm/v3/properties/contacts')).json.results;
	const key = list.find(p => p.name === 'callsync_key');
	assert.deepStrictEqual([key.type, key.hasUniqueValue, key.modificationMetadata.readOnlyValue], ['string', true, false]);
	assert.ok(list.find(p => p.name === 'hs_object_id').modificationMetadata.readOnlyValue);
	assert.strictEqual((await s.get('/crm/properties/2026-03/calls/hs_call_direction')).json.options[0].value, 'INBOUND');
	assert.strictEqual((await s.get('/crm/v3/properties/calls/none')).status, 404);
	let r = await s.post('/crm/v3/properties/calls', { name: 'my_key', label: 'My key', type: 'string', fieldType: 'text', groupName: 'g', hasUniqueValue: true });
	assert.strictEqual(r.status, 201);
	assert.strictEqual((await s.post('/crm/v3/properties/calls', { name: 'my_key', label: 'My key', type: 'string', fieldType: 'text', groupName: 'g' })).status, 409);
	r = await s.post(`${V3}/calls/batch/upsert`, { inputs: [{ id: 'v', idProperty: 'my_key', properties: { hs_timestamp: '1' } }] });
	assert.deepStrictEqual([r.status, r.json.results[0].properties.my_key], [200, 'v']);
	assert.strictEqual((await s.get('/crm/v3/owners?email=AVA.lopez@example.com')).json.results[0].id, '41629779');
	assert.strictEqual((await s.get('/crm/v3/pipelines/tickets')).json.results[0].stages.length, 4);
	assert.strictEqual((await s.get('/calling/v1/dispositions')).json[0].label, 'Connected');
	await s.ctl('POST', '/schema', { dialect: 'hubspot', action: 'add_required', object: 'contacts', field: 'zip', from: '2026-09' });
	r = await s.get('/crm/property-validations/2026-09/0-1');
	assert.ok(r.json.results.some(x => x.propertyName === 'zip' && x.propertyValidationRules[0].ruleType === 'REQUIRED'));
});

test('credentials: any, strict, expired, OAuth with rotation', async t => {
	const s = await start(t, ['hubspot']);
	const get = token => call('GET', `${s.base()}${V3}/contacts`, undefined, token ? { authorization: `Bearer ${token}` } : {});
	let r = await get(null);
	assert.deepStrictEqual([r.status, r.json.category], [401, 'INVALID_AUTHENTICATION']);
	assert.strictEqual((await get('whatever')).status, 200);
	await s.ctl('POST', '/config', { dialect: 'hubspot', tokens: { mode: 'strict', static_tokens: ['pat-1'] } });
	assert.strictEqual((await get('whatever')).status, 401);
	assert.strictEqual((await get('pat-1')).status, 200);
	const token = (body, ver = 'v3') => call('POST', `${s.base()}/oauth/${ver}/token`, new URLSearchParams(body).toString(), { 'Content-Type': 'application/x-www-form-urlencoded' });
	const client = { client_id: 'sandbox-client', client_secret: 'sandbox-secret' };
	r = await token({ grant_type: 'refresh_token', refresh_token: 'sandbox-refresh', ...client, client_secret: 'wrong' });
	assert.strictEqual(r.status, 401);
	const first = (await token({ grant_type: 'refresh_token', refresh_token: 'sandbox-refresh', ...client })).json;
	assert.deepStrictEqual([first.token_type, first.expires_in], ['bearer', 1800]);
	assert.strictEqual((await get(first.access_token)).status, 200);
	await s.ctl('POST', '/tokens', { dialect: 'hubspot', action: 'expire' });
	r = await get(first.access_token);
	assert.deepStrictEqual([r.status, r.json.category], [401, 'EXPIRED_AUTHENTICATION']);
	const second = (await token({ grant_type: 'refresh_token', refresh_token: first.refresh_token, ...client }, '2026-03')).json;
	assert.strictEqual((await get(second.access_token)).status, 200);
	r = await token({ grant_type: 'refresh_token', refresh_token: first.refresh_token, ...client });
	assert.deepStrictEqual([r.status, r.json.error], [400, 'invalid_grant']);
	assert.strictEqual((await get(second.access_token)).status, 401, 'reuse killed the family');
	r = await token({ grant_type: 'refresh_token', refresh_token: first.refresh_token, ...client }, 'v1');
	assert.deepStrictEqual([r.json.status, r.json.error], ['BAD_REFRESH_TOKEN', undefined]);
});

test('limits: burst, search, day', async t => {
	const s = await start(t, ['hubspot']);
	assert.strictEqual((await s.get(`${V3}/contacts`)).headers['x-hubspot-ratelimit-max'], undefined, 'off by default');
	await s.ctl('POST', '/config', { dialect: 'hubspot', limits: { enabled: true, windows: [{ name: 'TEN_SECONDLY_ROLLING', max: 3 }, { name: 'DAILY', max: 10 }] } });
	let r = await s.get(`${V3}/contacts`);
	assert.deepStrictEqual([r.headers['x-hubspot-ratelimit-max'], r.headers['x-hubspot-ratelimit-remaining'], r.headers['x-hubspot-ratelimit-daily-remaining']], ['3', '2', '9']);
	await s.get(`${V3}/contacts`);
	await s.get(`${V3}/contacts`);
	r = await s.get(`${V3}/contacts`);
	assert.deepStrictEqual([r.status, r.json.errorType, r.json.policyName], [429, 'RATE_LIMIT', 'TEN_SECONDLY_ROLLING']);
	for (let i = 0; i < 4; i++) assert.strictEqual((await s.post(`${V3}/contacts/search`, {})).status, 200);
	r = await s.post(`${V3}/contacts/search`, {});
	assert.deepStrictEqual([r.status, r.json.policyName, r.headers['x-hubspot-ratelimit-max']], [429, 'SECONDLY', undefined]);
	await s.ctl('POST', '/clock', { advance_ms: 10001 });
	for (let i = 0; i < 3; i++) await s.get(`${V3}/contacts`);
	await s.ctl('POST', '/clock', { advance_ms: 10001 });
	r = await s.get(`${V3}/contacts`);
	assert.deepStrictEqual([r.status, r.json.policyName, r.json.message], [429, 'DAILY', 'You have reached your daily limit.']);
	await s.ctl('POST', '/clock', { advance_ms: 86400000 });
	assert.strictEqual((await s.get(`${V3}/contacts`)).status, 200);
});
