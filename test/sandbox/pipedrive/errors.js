'use strict';
// Pipedrive's error bodies.
const { HttpError } = require('../lib/errors');

const INFO = 'Please check developers.pipedrive.com for more information about Pipedrive API.';
const fail = (status, error, more) => new HttpError(status, { success: false, error, error_info: INFO, data: null, additional_data: null, ...more });
const notFound = what => fail(404, `${what} not found`, { code: 'ERR_NOT_FOUND' });
const invalid = message => fail(400, `Validation failed: ${message}`, { code: 'ERR_SCHEMA_VALIDATION_FAILED' });
// v1's words for a missing or wrong parameter.
const parameter = message => fail(400, message);
module.exports = { fail, notFound, invalid, parameter };
