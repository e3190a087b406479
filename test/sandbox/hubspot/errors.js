'use strict';
// HubSpot's error bodies.
const crypto = require('crypto');
const { HttpError } = require('../lib/errors');
const { portalId } = require('./seed.json');

const correlationId = () => crypto.randomUUID();

function error(status, category, message, more, headers) {
	const body = { status: 'error', message, correlationId: correlationId() };
	if (category) body.category = category;
	return new HttpError(status, { ...body, ...more }, headers);
}

// list: [{code, message, name}]
function validation(list) {
	const legacy = list.map(e => ({ isValid: false, message: e.message, error: e.code, name: e.name, localizedErrorMessage: e.message, portalId }));
	return error(400, 'VALIDATION_ERROR', 'Property values were not valid: ' + JSON.stringify(legacy),
		{ errors: list.map(e => ({ message: e.message, code: e.code, context: { propertyName: [e.name] } })) });
}

const missing = (label, names, verb = 'creating') =>
	error(400, 'VALIDATION_ERROR', `Error ${verb} ${label}. Some required properties were not set.`, { context: { properties: names } });
const notFound = () => error(404, 'OBJECT_NOT_FOUND', 'resource not found');
const exists = (label, id) => error(409, 'CONFLICT', `${label} already exists. Existing ID: ${id}`);
const badInput = message => error(400, 'VALIDATION_ERROR', 'Invalid input JSON on line 1, column 1: ' + message);
const invalid = (message, more) => error(400, 'VALIDATION_ERROR', message, more);

function missingScopes(scopes) {
	const help = 'https://developers.hubspot.com/scopes';
	return error(403, 'MISSING_SCOPES', `This app hasn't been granted all required scopes to make this call. Read more about required scopes here: ${help}.`,
		{ errors: [{ message: 'One or more of the following scopes are required.', context: { requiredGranularScopes: scopes } }], links: { scopes: help } });
}

// An entry of errors[] in a 207 answer.
function item(e, context) {
	const { correlationId: _c, ...rest } = e.body;
	return { ...rest, context: { ...rest.context, ...context }, errors: rest.errors || [], links: rest.links || {} };
}
module.exports = { error, validation, missing, notFound, exists, badInput, invalid, missingScopes, item, correlationId };
