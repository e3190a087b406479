'use strict';
// Zoho's error objects. Inside data[] they are items, alone they are the body.
const { HttpError } = require('../lib/errors');

const item = (code, message, details = {}) => ({ code, details, message, status: 'error' });
const fail = (status, code, message, details, headers) => new HttpError(status, item(code, message, details), headers);

const mandatory = (name, path) => fail(400, 'MANDATORY_NOT_FOUND', 'required field not found', { api_name: name, json_path: path });
const invalid = (name, path, more) => fail(400, 'INVALID_DATA', 'invalid data', { api_name: name, json_path: path, ...more });
const wrongId = (id, status = 400) => fail(status, 'INVALID_DATA', 'the id given seems to be invalid', { id });
module.exports = { item, fail, mandatory, invalid, wrongId };
