// The reference: what google-libphonenumber says about each line "raw TAB region".
// Usage: node oracle.js < input.tsv > output.tsv      (columns: see COLUMNS; as COPY text)
//        node oracle.js --corpus SEED ROWS > output.tsv    inputs of its own making
//
// For development: the generated corpus is compared with the engine by
// `make phone-differential`. No test needs it.
'use strict';
const lib = require('google-libphonenumber');

const util = lib.PhoneNumberUtil.getInstance();
const short = lib.ShortNumberInfo.getInstance();
const COLUMNS = ['raw', 'region', 'result', 'country_code', 'nsn', 'national_number', 'italian_leading_zero', 'leading_zeros', 'extension',
	'e164', 'national', 'international', 'rfc3966', 'possible', 'is_valid', 'type', 'region_code', 'country_code_source', 'carrier_code',
	'short_possible', 'short_valid', 'short_cost', 'emergency'];
const nameOf = (object, value) => Object.keys(object).find((k) => object[k] === value) ?? null;
const SOURCE = lib.PhoneNumber.CountryCodeSource;

function ask(raw, region) {
	const row = { raw, region };
	let n;
	row.emergency = short.connectsToEmergencyNumber(raw, region);
	try {
		n = util.parse(raw, region);
		row.result = 'OK';
	} catch (e) {
		row.result = nameOf(lib.Error, e.message);
		if (row.result === null) throw e;
		return row;
	}
	const nsn = util.getNationalSignificantNumber(n);
	if (n.getNationalNumber() > Number.MAX_SAFE_INTEGER) return null;	// the reference is imprecise here
	row.country_code = n.getCountryCode();
	row.nsn = nsn;
	row.national_number = n.getNationalNumber();
	row.italian_leading_zero = !!n.getItalianLeadingZero();
	row.leading_zeros = row.italian_leading_zero ? n.getNumberOfLeadingZerosOrDefault() : 0;
	row.extension = n.getExtension() || null;
	['e164', 'national', 'international', 'rfc3966'].forEach((c, i) => { row[c] = util.format(n, [0, 2, 1, 3][i]); });
	row.possible = nameOf(lib.PhoneNumberUtil.ValidationResult, util.isPossibleNumberWithReason(n));
	row.is_valid = util.isValidNumber(n);
	row.type = nameOf(lib.PhoneNumberType, util.getNumberType(n));
	row.region_code = util.getRegionCodeForNumber(n);
	try {
		const kept = util.parseAndKeepRawInput(raw, region);
		row.country_code_source = nameOf(SOURCE, kept.getCountryCodeSource());
		row.carrier_code = kept.getPreferredDomesticCarrierCode() || null;
	} catch (e) { /* stays null */ }
	if (region in lib.shortnumbermetadata.countryToMetadata) {
		row.short_possible = short.isPossibleShortNumberForRegion(n, region);
		row.short_valid = short.isValidShortNumberForRegion(n, region);
		row.short_cost = nameOf(lib.ShortNumberInfo.ShortNumberCost, short.getExpectedCostForRegion(n, region));
	}
	return row;
}

const ESCAPES = { '\\': '\\\\', '\t': '\\t', '\n': '\\n', '\r': '\\r', '\b': '\\b', '\f': '\\f', '\v': '\\v' };
const UNESCAPES = { t: '\t', n: '\n', r: '\r', b: '\b', f: '\f', v: '\v' };
const copyText = (v) => v === null || v === undefined ? '\\N' : v === true ? 't' : v === false ? 'f'
	: String(v).replace(/[\\\t\n\r\b\f\v]/g, (c) => ESCAPES[c]);
const print = (row) => process.stdout.write(COLUMNS.map((c) => copyText(row[c])).join('\t') + '\n');

// ---- a corpus: every kind of number of every territory, written and damaged in many ways ----

function* corpus(seed, rows) {
	let state = BigInt(seed) * 2654435761n + 12345n;
	const next = () => { state = (state * 6364136223846793005n + 1442695040888963407n) & 0xffffffffffffffffn; return Number(state >> 33n); };
	const below = (n) => next() % n;
	const pick = (a) => a[below(a.length)];
	const ids = Object.keys(lib.metadata.countryToMetadata);
	const regions = ids.filter((i) => isNaN(i));
	const shortIds = Object.keys(lib.shortnumbermetadata.countryToMetadata);
	// a random string of a pattern
	const { parseRegex } = require('./automaton');
	const digitsOf = (tree) => {
		switch (tree.kind) {
			case 'set': { const d = []; for (let i = 0; i < 10; i++) if (tree.mask >> i & 1) d.push(i); return String(pick(d)); }
			case 'seq': return tree.items.map(digitsOf).join('');
			case 'alt': return digitsOf(pick(tree.branches));
			case 'group': return digitsOf(tree.body);
			case 'rep': { let s = ''; const k = tree.min + below(tree.max - tree.min + 1); for (let i = 0; i < k; i++) s += digitsOf(tree.atom); return s; }
			default: return '';
		}
	};
	const sample = (source) => digitsOf(parseRegex(source).tree);
	const separators = ['', '', '', ' ', '-', '.', ' - ', '/', '(', ')', ') ', '\u00a0', '\u2010', '\u2011', '\u2013', '\u200b', '\u2060', '\u00ad', '\u3000', '\uff0d', '~', '[', ']', '*', 'x', '\u30fc', '\uff08', '\t', ',', ';'];
	const extensions = ['ext', 'ext.', 'extn', 'extension', 'EXT:', 'xtn', 'xt', 'extensi\u00f3n', 'extensio\u0301n', 'EXTENSI\u00d3N', 'x', 'X', '#', '~', 'int', 'INT.', '\uff58', '\uff45\uff58\uff54\uff4e', '\uff25\uff38\uff34', '\uff49\uff4e\uff54', '\uff03', '\uff5e',
		'\u0434\u043e\u0431', '\u0414\u041e\u0411.', 'anexo', 'Anexo:', ';ext=', ';EXT=', ',', ',,', ', ,', ';', ',;', ',,:', ';.', ', ,,', '-', ' - ', 'Durchwahl', 'poste', 'e xt', ',,,', ',-,', '; ;', ',:', 'ext,', 'ext-', 'x-', '\uff0e', 'ext\uff0e'];
	const blanks = ['', '', ' ', '  ', '\t', '\u00a0', ',', ' ,', '-', ' -'];
	const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
	const zeros = [0x30, 0x30, 0x30, 0xff10, 0x660, 0x6f0];
	const soup = ['0', '1', '2', '5', '9', '+', '\uff0b', '*', '#', ' ', '-', '(', ')', '.', '/', '\\', ',', ';', 'x', 'e', 't', 'n', ':', '=', '~', 'a', '@', '%', '\u0661', '\uff15', '\u00a0', '\t', '\u0301', '\u6f22', '\ud83d\ude00', 'ext', 'tel:', ';phone-context=', ';isub=', ';ext='];
	const write = (digits) => {
		let s = '';
		const density = below(4);
		const zero = below(12) === 0 ? pick(zeros) : 0;
		for (const c of digits) {
			if (density && below(6) < density) s += pick(separators);
			s += zero ? String.fromCharCode((below(3) ? zero : pick(zeros)) + +c) : c;
		}
		return s;
	};
	for (let i = 0; i < rows; i++) {
		const id = pick(ids);
		const m = lib.metadata.countryToMetadata[id];
		const code = String(m[10]);
		let region = isNaN(id) ? id : pick(['ZZ', 'US', '001', 'DE']);
		let nsn = '';
		const field = pick([1, 2, 2, 3, 3, 4, 5, 6, 7, 8, 21, 25, 28]);
		nsn = sample((m[field] && m[field][2]) || m[1][2]);
		if (below(5) === 0) { const k = below(nsn.length + 1); nsn = pick([nsn.slice(0, k) + below(10) + nsn.slice(k), nsn.slice(0, k) + nsn.slice(k + 1), nsn + below(1000), nsn.slice(0, k)]); }
		if (below(12) === 0 && shortIds.includes(id)) {
			const s = lib.shortnumbermetadata.countryToMetadata[id];
			const d = s[pick([1, 4, 5, 27, 29, 30])];
			nsn = sample((d && d[2]) || s[1][2]);
		}
		let digits;
		switch (below(12)) {
			case 0: case 1: case 2: digits = nsn; break;
			case 3: digits = (m[12] || '0').replace(/\D/g, '') + nsn; break;
			case 4: digits = m[15] ? sample(m[15].replace(/\$/g, '')) + pick([nsn, nsn.slice(0, 4), '']) : nsn; break;
			case 5: { const home = pick(regions); region = home; digits = sample(lib.metadata.countryToMetadata[home][11]) + code + nsn; break; }
			case 6: digits = code + nsn; break;
			case 7: digits = code + (m[12] || '0').replace(/\D/g, '') + nsn; break;
			default: digits = null;
		}
		let raw = digits === null ? pick(['+', '+', '+', '\uff0b', '++', '+0', '(+', '+ ']) + write(code + (below(8) ? '' : '(0)'.replace(/\D/g, '')) + nsn) : write(digits);
		if (below(7) === 0) raw += pick(blanks) + pick(extensions) + pick(blanks) + write(String(below(10 ** (1 + below(9))))).replace(/^$/, '1') + pick(['', '', '', '#']);
		if (below(25) === 0) raw += pick([' x', '/x', '\\ x', ' / x', ' or ', '/', ';', '%23', '#', '>', '"']) + pick(['', '302', nsn]);
		if (below(25) === 0) raw = pick(['tel:', 'TEL:', 'Tel. ', 'sip:', '"', '<', 'mobile:', 'abc ', '(', '\u202a']) + raw;
		if (below(25) === 0) raw += pick([';phone-context=+' + code, ';phone-context=example.com', ';phone-context=', ';phone-context=+' + code + ';x=1', ';isub=123', ';ext=12', ';phone-context=a-.b', ';phone-context=b.2', ';phone-context=+', ';phone-context=1.a.', ';phone-context=+(1)-2.3']);
		if (below(25) === 0) { const a = [...raw]; const k = below(a.length + 1); a.splice(k, below(2), pick(soup)); raw = a.join(''); }
		if (below(20) === 0) { const a = [...raw]; for (let k = 0; k < 3; k++) a[below(a.length)] = pick(letters); raw = a.join(''); }
		if (below(15) === 0) { raw = ''; for (let k = 1 + below(22); k > 0; k--) raw += pick(soup); }
		if (below(200) === 0) raw = raw.repeat(1 + below(30));
		if (below(15) === 0) region = pick([...regions, 'ZZ', '', 'us', 'XX', '001', 'UK']);
		yield [raw, region];
	}
}

if (process.argv[2] === '--corpus') {
	for (const [raw, region] of corpus(+process.argv[3], +process.argv[4])) {
		if (raw.includes('\0')) continue;
		const row = ask(raw, region);
		if (row) print(row);
	}
} else {
	const lines = require('fs').readFileSync(0, 'utf8').split('\n');
	for (const line of lines) {
		if (line === '' || line.startsWith('raw\tregion\t')) continue;
		const [raw, region] = line.split('\t').map((s) => s.replace(/\\(.)/g, (_, c) => UNESCAPES[c] ?? c));
		const row = ask(raw, region);
		if (row) print(row);
	}
}
