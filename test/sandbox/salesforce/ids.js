'use strict';
// Salesforce ids: 3 characters of object, 12 of number, and for the 18-character form a checksum
// that carries the case of the 15.
const ALPHABET = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
const SUM = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ012345';
const PREFIX = { Account: '001', Contact: '003', User: '005', Opportunity: '006', Lead: '00Q', Task: '00T', Event: '00U', Case: '500', CaseComment: '00a' };

function checksum(id15) {
	let out = '';
	for (let chunk = 0; chunk < 3; chunk++) {
		let bits = 0;
		for (let i = 0; i < 5; i++) if (/[A-Z]/.test(id15[chunk * 5 + i])) bits |= 1 << i;
		out += SUM[bits];
	}
	return out;
}
function make(object, n) {
	let tail = '';
	for (let x = n; x > 0; x = Math.floor(x / 62)) tail = ALPHABET[x % 62] + tail;
	const id15 = PREFIX[object] + 'Sb' + tail.padStart(10, '0');
	return id15 + checksum(id15);
}
// The 18-character form, or null when it is no id.
function canonical(text) {
	const t = String(text);
	if (/^[0-9A-Za-z]{15}$/.test(t)) return t + checksum(t);
	if (!/^[0-9A-Za-z]{18}$/.test(t)) return null;
	// 18 characters may come in any case: the checksum restores it
	const sum = t.slice(15).toUpperCase();
	let id15 = '';
	for (let i = 0; i < 15; i++) {
		const bits = SUM.indexOf(sum[Math.floor(i / 5)]);
		if (bits < 0) return null;
		id15 += bits & (1 << (i % 5)) ? t[i].toUpperCase() : t[i].toLowerCase();
	}
	return id15 + sum;
}
const objectOf = id => Object.keys(PREFIX).find(o => PREFIX[o] === id.slice(0, 3)) || null;
module.exports = { make, canonical, objectOf, PREFIX };
