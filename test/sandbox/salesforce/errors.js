'use strict';
// Salesforce answers errors as a list; inside collections the code is called statusCode.
const { HttpError } = require('../lib/errors');

const fail = (status, errorCode, message, fields, more) => new HttpError(status, [{ message, errorCode, ...(fields ? { fields } : {}), ...more }]);

const missing = fields => fail(400, 'REQUIRED_FIELD_MISSING', `Required fields are missing: [${fields.join(', ')}]`, fields);
const noColumn = (object, name) => fail(400, 'INVALID_FIELD', `No such column '${name}' on sobject of type ${object}`);
const readOnly = names => fail(400, 'INVALID_FIELD_FOR_INSERT_UPDATE', `Unable to create/update fields: ${names.join(', ')}. Please check the security settings of this field and verify that it is read/write for your profile or permission set.`, names);
const notFound = () => fail(404, 'NOT_FOUND', 'The requested resource does not exist');
const deleted = () => fail(404, 'ENTITY_IS_DELETED', 'entity is deleted');
const parser = message => fail(400, 'JSON_PARSER_ERROR', message);
const malformedId = (label, value, field) => fail(400, 'MALFORMED_ID', `${label}: id value of incorrect type: ${value}`, field ? [field] : undefined);
const crossReference = field => fail(400, 'INVALID_CROSS_REFERENCE_KEY', 'invalid cross reference id', field ? [field] : []);
const duplicateValue = (field, id) => fail(400, 'DUPLICATE_VALUE', `duplicate value found: ${field} duplicates value on record with id: ${id.slice(0, 15)}`, []);

// The same errors as an item of a collection answer.
const asItem = e => (Array.isArray(e.body) ? e.body : [{ errorCode: 'UNKNOWN_EXCEPTION', message: 'failed' }]).map(({ errorCode, message, fields, ...rest }) => ({ statusCode: errorCode, message, fields: fields || [], ...rest }));
module.exports = { fail, missing, noColumn, readOnly, notFound, deleted, parser, malformedId, crossReference, duplicateValue, asItem };
