#!/usr/bin/env node
'use strict';
// check-bodies.js FILE...: sandbox request logs (JSON, as /_control/requests answers them) against the
// schemas of the SDKs. Prints what does not fit, then one line "bodies: N passed, N failed".
const fs = require('fs');
const { check } = require('./schemas');

let passed = 0, failed = 0, without = 0;
for (const file of process.argv.slice(2)) {
	for (const r of JSON.parse(fs.readFileSync(file, 'utf8'))) {
		const found = check(r);
		if (found === null) { without++; continue; }
		if (!found.length) { passed++; continue; }
		failed++;
		if (failed <= 50) process.stdout.write(`${r.dialect} ${r.method} ${r.url} (${file}, request ${r.seq})\n${[...new Set(found)].slice(0, 10).map(f => `    ${f}\n`).join('')}`);
	}
}
process.stdout.write(`${without} requests have no body with a schema\nbodies: ${passed} passed, ${failed} failed\n`);
process.exit(failed ? 1 : 0);
