'use strict';
// Dataverse errors: {"error": {"code": "0x8....", "message"}}.
const { HttpError } = require('../lib/errors');

const fail = (status, code, message, headers) => new HttpError(status, { error: { code, message } }, headers);

const undeclared = (set, logical, name) => fail(400, '0x80048d19', `Error identified in Payload provided by the user for Entity :'${set}', For more information on this error please follow this help link   ---->  InnerException : Microsoft.OData.ODataException: An undeclared property '${name}' which only has property annotations in the payload but no property value was found in the payload. The property '${name}' does not exist on type 'Microsoft.Dynamics.CRM.${logical}'. Make sure to only use property names that are defined by the type.`);
const wrongType = (set, value, type) => fail(400, '0x80048d19', `Error identified in Payload provided by the user for Entity :'${set}' ---->  InnerException : Microsoft.OData.ODataException: Cannot convert the literal '${value}' to the expected type '${type}'.`);
const noProperty = (logical, name) => fail(400, '0x80060888', `Could not find a property named '${name}' on type 'Microsoft.Dynamics.CRM.${logical}'.`);
const syntax = message => fail(400, '0x80060888', message);
const notFound = (logical, id) => fail(404, '0x80040217', `${logical} With Id = ${id} Does Not Exist`);
const keyNotFound = logical => fail(404, '0x80060891', `A record with the specified key values does not exist in ${logical} entity`);
const invalidArgument = message => fail(400, '0x80040203', message);
const privilege = (logical, right) => fail(403, '0x80040220', `Principal user is missing prv${right}${logical[0].toUpperCase()}${logical.slice(1)} privilege`);
module.exports = { fail, undeclared, wrongType, noProperty, syntax, notFound, keyNotFound, invalidArgument, privilege };
