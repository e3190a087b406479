// Times the npm package google-libphonenumber at what engine.c times as "full".
// Usage: node reference.js PACKAGE-FOLDER CORPUS
'use strict';
const fs = require('fs');
const lib = require(process.argv[2]);
const util = lib.PhoneNumberUtil.getInstance();
const unescapes = { t: '\t', n: '\n', r: '\r' };
const rows = fs.readFileSync(process.argv[3], 'utf8').split('\n').filter((l) => l !== '')
	.map((l) => l.split('\t').map((s) => s.replace(/\\(.)/g, (_, c) => unescapes[c] ?? c)));
let sink = 0;
let best = Infinity;
for (let round = 0; round < 2; round++) {
	const start = process.hrtime.bigint();
	for (const [raw, region] of rows) {
		let n;
		try { n = util.parse(raw, region); } catch (e) { continue; }
		sink += util.format(n, lib.PhoneNumberFormat.E164).length + util.isValidNumber(n) + util.getNumberType(n);
		sink += (util.getRegionCodeForNumber(n) || '').length;
	}
	best = Math.min(best, Number(process.hrtime.bigint() - start));
}
console.log('full', (best / rows.length).toFixed(1));
if (!sink) process.exit(1);
