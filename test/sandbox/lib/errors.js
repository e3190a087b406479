'use strict';
// What a dialect throws to answer with its vendor's error body. `body` is an object (sent as JSON),
// a string or null; `code` names the error for the request log.
class HttpError extends Error {
	constructor(status, body, headers) {
		super('HTTP ' + status);
		this.status = status;
		this.body = body;
		this.headers = headers || {};
	}
}
// A mistake of whoever drives the control API: always JSON with the reason.
class ControlError extends Error {
	constructor(message, status) {
		super(message);
		this.status = status || 400;
	}
}
module.exports = { HttpError, ControlError };
