'use strict';
// The schemas that judge callsync's bodies accept what the SDKs send and refuse what they could not.
const test = require('node:test');
const assert = require('node:assert');
const { check } = require('../schemas');

const judge = (dialect, method, url, body) => check({ dialect, method, url, headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) });
const good = (...a) => assert.deepStrictEqual(judge(...a), []);
const bad = (re, ...a) => assert.match(judge(...a).join('\n'), re);

test('hubspot', () => {
	const input = { id: 'k', idProperty: 'callsync_key', objectWriteTraceId: 't', properties: { hs_timestamp: '1' } };
	good('hubspot', 'POST', '/crm/objects/2026-03/calls/batch/upsert', { inputs: [input] });
	bad(/must NOT have additional properties \(trace\)/, 'hubspot', 'POST', '/crm/objects/2026-03/calls/batch/upsert', { inputs: [{ ...input, trace: 'x' }] });
	bad(/must be string/, 'hubspot', 'POST', '/crm/objects/2026-03/calls/batch/upsert', { inputs: [{ ...input, properties: { hs_call_duration: 5 } }] });
	bad(/must have required property 'properties'/, 'hubspot', 'POST', '/crm/v3/objects/contacts', { associations: [] });
	good('hubspot', 'POST', '/crm/v3/objects/contacts', { properties: {}, associations: [{ to: { id: '1' }, types: [{ associationCategory: 'HUBSPOT_DEFINED', associationTypeId: 194 }] }] });
	good('hubspot', 'POST', '/crm/v3/objects/contacts/search', { filterGroups: [{ filters: [{ propertyName: 'email', operator: 'EQ', value: 'x' }] }], properties: [], sorts: [], limit: 1, after: '0' });
	bad(/must be equal to one of the allowed values/, 'hubspot', 'POST', '/crm/v3/objects/contacts/search', { filterGroups: [{ filters: [{ propertyName: 'email', operator: 'EQUALS', value: 'x' }] }] });
	good('hubspot', 'POST', '/crm/associations/2026-03/calls/contacts/batch/associate/default', { inputs: [{ from: { id: '1' }, to: { id: '2' } }] });
	assert.strictEqual(judge('hubspot', 'PUT', '/crm/v4/objects/calls/1/associations/default/contacts/2', {}), null);
});

test('salesforce', () => {
	good('salesforce', 'POST', '/services/data/v60.0/sobjects/Task', { Subject: 'x', TaskSubtype: 'Call', WhoId: '003', Callsync_Key__c: 'k', Who: { attributes: { type: 'Contact' } } });
	bad(/additional properties \(Title\)/, 'salesforce', 'POST', '/services/data/v60.0/sobjects/Task', { Title: 'x' });
	bad(/must be number/, 'salesforce', 'PATCH', '/services/data/v60.0/sobjects/Task/Callsync_Key__c/k', { CallDurationInSeconds: '5' });
	good('salesforce', 'PATCH', '/services/data/v60.0/composite/sobjects/Contact/Callsync_Key__c', { allOrNone: false, records: [{ attributes: { type: 'Contact' }, LastName: 'x' }] });
	bad(/\/records\/0/, 'salesforce', 'POST', '/services/data/v60.0/composite/sobjects', { records: [{ attributes: { type: 'Contact' }, Lastname: 'x' }] });
	good('salesforce', 'POST', '/services/data/v60.0/composite/sobjects/Task', { ids: ['00T000000000001AAA'], fields: ['Id', 'Subject', 'Callsync_Key__c'] });
	bad(/Task has no Title/, 'salesforce', 'POST', '/services/data/v60.0/composite/sobjects/Task', { ids: ['00T000000000001AAA'], fields: ['Title'] });
	bad(/required property 'ids'/, 'salesforce', 'POST', '/services/data/v60.0/composite/sobjects/Task', { fields: ['Subject'] });
	bad(/compositeRequest\/0/, 'salesforce', 'POST', '/services/data/v60.0/composite', { compositeRequest: [{ method: 'POST', url: '/services/data/v60.0/sobjects/Contact', referenceId: 'a', body: { Nope: 1 } }] });
});

test('pipedrive', () => {
	good('pipedrive', 'POST', '/api/v2/persons', { name: 'x', phones: [{ value: '1', primary: true, label: 'work' }], custom_fields: { abc: 1 } });
	bad(/additional properties \(phone\)/, 'pipedrive', 'POST', '/api/v2/persons', { name: 'x', phone: [{ value: '1' }] });
	bad(/must be boolean/, 'pipedrive', 'POST', '/api/v2/activities', { subject: 'x', done: 1 });
	good('pipedrive', 'POST', '/v1/callLogs', { to_phone_number: '1', outcome: 'connected', start_time: '2026-06-11 15:42:00', end_time: '2026-06-11 15:43:00' });
	bad(/required property 'outcome'/, 'pipedrive', 'POST', '/v1/callLogs', { to_phone_number: '1', start_time: 'x', end_time: 'y' });
	bad(/\/outcome/, 'pipedrive', 'POST', '/v1/callLogs', { to_phone_number: '1', outcome: 'completed', start_time: 'x', end_time: 'y' });
});

test('zoho', () => {
	good('zoho', 'POST', '/crm/v8/Contacts/upsert', { data: [{ Last_Name: 'x' }], duplicate_check_fields: ['Email'], trigger: [] });
	good('zoho', 'POST', '/crm/v8/Calls', { data: [{ Subject: 'x', Call_Type: 'Inbound', Who_Id: { id: '1' }, $se_module: 'Deals', Callsync_Key: 'k' }] });
	bad(/data\/0.*additional properties \(Title\)/, 'zoho', 'POST', '/crm/v8/Calls', { data: [{ Title: 'x' }] });
	bad(/data\/0\/Who_Id must be object/, 'zoho', 'POST', '/crm/v8/Tasks', { data: [{ Subject: 'x', Who_Id: '1' }] });
	bad(/additional properties \(records\)/, 'zoho', 'POST', '/crm/v8/Contacts', { records: [] });
	good('zoho', 'POST', '/crm/v8/coql', { select_query: 'select id from Contacts' });
});
