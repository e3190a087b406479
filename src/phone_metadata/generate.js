// Writes src/core/phone_tables.c from the metadata of google-libphonenumber.
// Usage: node generate.js OUTPUT.c        (see `make metadata`)
//
// The output is deterministic: the same package version gives the same bytes.
'use strict';
const fs = require('fs');
const crypto = require('crypto');
const { Automaton, MAX_DIGITS } = require('./automaton');
const lib = require('google-libphonenumber');
const VERSION = require('google-libphonenumber/package.json').version;

const MAIN = lib.metadata.countryToMetadata;
const CODES = lib.metadata.countryCodeToRegionCodeMap;
const SHORT = lib.shortnumbermetadata.countryToMetadata;
const sha256 = (x) => crypto.createHash('sha256').update(JSON.stringify(x)).digest('hex');

// Field numbers of the library's PhoneMetadata, PhoneNumberDesc and NumberFormat messages.
const F = { general: 1, fixed: 2, mobile: 3, tollFree: 4, premium: 5, shared: 6, personal: 7, voip: 8,
	callingCode: 10, idd: 11, extension: 13, npForParsing: 15, transform: 16, sameMobile: 18, formats: 19,
	intlFormats: 20, pager: 21, leadingDigits: 23, uan: 25, emergency: 27, voicemail: 28, shortCode: 29, standardRate: 30 };
const DESC = { pattern: 2, lengths: 9, localOnly: 10 };
const FMT = { pattern: 1, format: 2, leading: 3, npRule: 4 };

// Order of CallsyncPhoneType in phone.h, and the order in which the library asks.
const TYPE = { UNKNOWN: 0, FIXED_LINE: 1, MOBILE: 2, FIXED_LINE_OR_MOBILE: 3, TOLL_FREE: 4, PREMIUM_RATE: 5, SHARED_COST: 6,
	VOIP: 7, PERSONAL_NUMBER: 8, PAGER: 9, UAN: 10, VOICEMAIL: 11 };
const ASKED = [['premium', 'PREMIUM_RATE'], ['tollFree', 'TOLL_FREE'], ['shared', 'SHARED_COST'], ['voip', 'VOIP'],
	['personal', 'PERSONAL_NUMBER'], ['pager', 'PAGER'], ['uan', 'UAN'], ['voicemail', 'VOICEMAIL']];
// Order of CallsyncShortCost in phone.h
const COST = { UNKNOWN_COST: 0, TOLL_FREE: 1, STANDARD_RATE: 2, PREMIUM_RATE: 3 };
const EMERGENCY_MUST_BE_EXACT = ['BR', 'CL', 'NI'];

const automaton = new Automaton();
const roots = [];
const root = (id) => roots.push(id) - 1;
const NO_ROOT = root(automaton.dead);

const desc = (m, field) => m[F[field]] || [];
const pattern = (m, field) => desc(m, field)[DESC.pattern];
const lengths = (m, field) => desc(m, field)[DESC.lengths] || [];
const lengthMask = (list) => (list || []).reduce((mask, n) => {
	if (n < 0 || n > MAX_DIGITS) throw new Error(`length ${n}`);
	return mask | 1 << n;
}, 0);

// ---- territories ----

const territoryIds = Object.keys(MAIN).sort();
const territoryIndex = new Map(territoryIds.map((id, i) => [id, i]));

const npActions = [null];
const npActionIndex = new Map();
function npAction(action) {
	const key = JSON.stringify(action);
	if (!npActionIndex.has(key)) { npActionIndex.set(key, npActions.length); npActions.push(action); }
	return npActionIndex.get(key);
}

// What to do with a national number once its prefix matched: how many digits go, which
// group the transform rule keeps, which group is the carrier code.
function nationalPrefixRoot(m) {
	const source = m[F.npForParsing];
	if (!source) return NO_ROOT;
	const groups = (source.match(/\((?!\?)/g) || []).length;
	const rule = m[F.transform] || '';
	const parts = /^(\d*)\$(\d)$/.exec(rule);
	if (rule && !parts) throw new Error(`transform rule ${rule}`);
	return root(automaton.prefixMatch(source, (caps, end) => {
		const group = (g) => caps[2 * g - 1] === undefined ? null : { from: caps[2 * g - 2], length: caps[2 * g - 1] - caps[2 * g - 2] };
		const last = groups ? group(groups) : null;
		const transform = rule !== '' && last !== null && last.length > 0;
		const carrier = groups > 0 && (transform || last !== null) ? group(1) : null;
		if (groups > 0 && last !== null && group(1) === null) throw new Error('last group without the first');
		return npAction({ end, transform, kept: transform ? group(+parts[2]) : { from: 0, length: 0 }, carrier: carrier || { from: 0, length: 0 } });
	}));
}

const territories = territoryIds.map((id) => {
	const m = MAIN[id];
	const nonGeo = /^\d+$/.test(id);
	const s = nonGeo ? null : SHORT[id];
	const t = {
		id: nonGeo ? '001' : id,
		callingCode: m[F.callingCode],
		possible: lengthMask(lengths(m, 'general')),
		localOnly: lengthMask(desc(m, 'general')[DESC.localOnly]),
		generalRoot: root(automaton.classify([{ source: pattern(m, 'general'), tag: 0 }], (tags) => +tags.has(0))),
		iddRoot: m[F.idd] ? root(automaton.prefixMatch(m[F.idd], (caps, end) => end)) : NO_ROOT,
		npRoot: nationalPrefixRoot(m),
		npPrefix: m[F.transform] ? /^\d*/.exec(m[F.transform])[0] : '',
		shortRoot: NO_ROOT, emergencyRoot: NO_ROOT, hasShort: 0, emergencyExact: +EMERGENCY_MUST_BE_EXACT.includes(id),
		shortPossible: 0,
	};
	if (s) {
		t.hasShort = 1;
		const fields = ['general', 'tollFree', 'premium', 'emergency', 'shortCode', 'standardRate'].filter((f) => pattern(s, f));
		t.shortRoot = root(automaton.classify(fields.map((f) => ({ source: pattern(s, f), tag: f })), (tags, n) => {
			const matches = (f) => tags.has(f) && (lengths(s, f).length === 0 || lengths(s, f).includes(n));
			const possible = lengths(s, 'general').includes(n);
			let cost = COST.UNKNOWN_COST;
			if (possible) {
				if (matches('premium')) cost = COST.PREMIUM_RATE;
				else if (matches('standardRate')) cost = COST.STANDARD_RATE;
				else if (matches('tollFree') || tags.has('emergency')) cost = COST.TOLL_FREE;
			}
			return +possible | (matches('general') && matches('shortCode') ? 2 : 0) | cost << 2;
		}));
		// bit 0: exactly an emergency number, bit 1: begins with one. A region without a
		// pattern (GN) has the empty one: the library then takes anything for an emergency.
		if (!s[F.emergency]) throw new Error(`no emergency description for ${id}`);
		const source = pattern(s, 'emergency') || '';
		t.emergencyRoot = root(automaton.classify([{ source, tag: 0 }, { source, tag: 1, prefix: true }],
			(tags) => +tags.has(0) | (tags.has(1) ? 2 : 0)));
	}
	return t;
});

// ---- calling codes: type and region of a number, formats ----

function typeOf(m, matches) {
	if (!matches('general')) return TYPE.UNKNOWN;
	for (const [field, type] of ASKED) if (matches(field)) return TYPE[type];
	if (matches('fixed')) return m[F.sameMobile] || matches('mobile') ? TYPE.FIXED_LINE_OR_MOBILE : TYPE.FIXED_LINE;
	return !m[F.sameMobile] && matches('mobile') ? TYPE.MOBILE : TYPE.UNKNOWN;
}

// Label: (territory + 1) << 4 | type; the territory is 0 where the code has one region
// only (it then needs no digits to be known) or where none of the regions fits.
function typeRoot(ids) {
	const entries = ids.flatMap((id, i) => {
		const m = MAIN[id];
		const list = ['general', 'fixed', 'mobile', ...ASKED.map((a) => a[0])].filter((f) => pattern(m, f))
			.map((f) => ({ source: pattern(m, f), tag: `${i}/${f}` }));
		if (m[F.leadingDigits]) list.push({ source: m[F.leadingDigits], tag: `${i}/leading`, prefix: true });
		return list;
	});
	return root(automaton.classify(entries, (tags, n) => {
		for (let i = 0; i < ids.length; i++) {
			const m = MAIN[ids[i]];
			const type = () => typeOf(m, (f) => tags.has(`${i}/${f}`) && (lengths(m, f).length === 0 || lengths(m, f).includes(n)));
			const label = (t) => (ids.length === 1 ? 0 : territoryIndex.get(ids[i]) + 1 << 4) | t;
			if (ids.length === 1) return label(type());
			if (m[F.leadingDigits]) {
				if (tags.has(`${i}/leading`)) return label(type());
			} else if (type() !== TYPE.UNKNOWN) return label(type());
		}
		return 0;
	}));
}

let pool = '';
const poolOffset = new Map();
function pooled(text) {
	if (!poolOffset.has(text)) {
		poolOffset.set(text, pool.length);
		pool += text + '\0';
	}
	return poolOffset.get(text);
}
pooled('');

// Templates: group N is the byte N.
const template = (text) => text.replace(/\$(\d)/g, (_, g) => String.fromCharCode(+g));
const formats = [];
function formatGroups(source) {
	const groups = [...source.matchAll(/\((\\d)(?:\{(\d+)(?:,(\d+))?\})?\)/g)];
	if (groups.map((g) => g[0]).join('') !== source) throw new Error(`format pattern ${source}`);
	return groups.map((g) => ({ min: +(g[2] ?? 1), max: +(g[3] ?? g[2] ?? 1) }));
}
function addFormat(f) {
	const groups = formatGroups(f[FMT.pattern]);
	if (groups.some((g) => g.min < 1)) throw new Error('empty group');
	const separators = /[-x\u2010-\u2015\u2212\u30fc\uff0d-\uff0f \u00a0\u00ad\u200b\u2060\u3000()\uff08\uff09\uff3b\uff3d.\[\]/~\u2053\u223c\uff5e]+/;
	const plain = f[FMT.format];
	const national = f[FMT.npRule] ? plain.replace(/(\$\d)/, f[FMT.npRule]) : plain;
	const rfc = plain.replace(new RegExp(`^${separators.source}`), '').replace(new RegExp(separators.source, 'g'), '-');
	formats.push({ groups, national: pooled(template(national)), international: pooled(template(plain)), rfc: pooled(template(rfc)) });
}

const callingCodes = Object.keys(CODES).map(Number).sort((a, b) => a - b).map((code) => {
	const ids = CODES[code][0] === '001' ? [String(code)] : CODES[code];
	const m = MAIN[ids[0]];
	const list = (field) => m[F[field]] || [];
	const all = [...list('formats'), ...list('intlFormats')];
	const firstIntl = list('formats').length;
	const base = formats.length;
	all.forEach(addFormat);
	const range = all.map((f) => formatGroups(f[FMT.pattern]).reduce((a, g) => ({ min: a.min + g.min, max: a.max + g.max }), { min: 0, max: 0 }));
	const leading = all.map((f) => (f[FMT.leading] || []).at(-1));
	// Label: one byte per style, 0 for "as it is", else format number + 1
	const pick = (from, to, tags, n) => {
		for (let i = from; i < to; i++) {
			if (n >= range[i].min && n <= range[i].max && (leading[i] === undefined || tags.has(i))) return i + 1;
		}
		return 0;
	};
	const entries = leading.map((source, tag) => ({ source, tag, prefix: true })).filter((e) => e.source !== undefined);
	const formatRoot = root(automaton.classify(entries, (tags, n) =>
		pick(0, firstIntl, tags, n) | pick(all.length > firstIntl ? firstIntl : 0, all.length, tags, n) << 8));
	return { code, main: territoryIndex.get(ids[0]), single: ids.length === 1 ? territoryIndex.get(ids[0]) + 1 : 0,
		typeRoot: typeRoot(ids), formatRoot, formatBase: base, extension: pooled(m[F.extension] ?? ' ext. ') };
});

// ---- output ----

const { states, leaves, rootRefs } = automaton.freeze(roots);
const out = [];
const wrap = (items, perLine) => {
	for (let i = 0; i < items.length; i += perLine) out.push('\t' + items.slice(i, i + perLine).join(', ') + (i + perLine < items.length ? ',' : ''));
};
const cString = (s) => '"' + s.replace(/[^ -~]|["\\]/g, (c) => '\\' + c.charCodeAt(0).toString(8).padStart(3, '0')) + '"';
const ref = (r) => rootRefs[r];

out.push(`/*
 * phone_tables.c
 *		GENERATED by src/phone_metadata/generate.js ("make metadata"). Do not edit.
 *
 * Phone number metadata of google-libphonenumber ${VERSION}, copyright The Libphonenumber
 * Authors, Apache License 2.0 (https://www.apache.org/licenses/LICENSE-2.0), as tables:
 * ${territories.length} territories, ${callingCodes.length} calling codes, ${states.length} automaton states. The
 * layout is described in phone_tables.h.
 */
#include "core/phone_tables.h"

const char callsync_phone_tables_version[] = "${VERSION}";
const char callsync_phone_tables_sha256[] = "${sha256(MAIN)}";
const char callsync_phone_tables_short_sha256[] = "${sha256(SHORT)}";

const unsigned callsync_phone_state_count = ${states.length};
const unsigned callsync_phone_leaf_count = ${leaves.length};
`);
out.push(`const uint16_t callsync_phone_states[${states.length}][11] = {`);
states.forEach((s, i) => out.push(`\t{${[...s.next, s.label].join(',')}}${i + 1 < states.length ? ',' : ''}`));
out.push('};\n');

// Leaves share their answers: a leaf may be the tail of another one.
const labels = [];
const byText = new Map();
const leafRows = leaves.map(() => null);
leaves.map((l, i) => [l, i]).sort((a, b) => b[0].length - a[0].length || a[1] - b[1]).forEach(([l, i]) => {
	const key = l.join();
	if (!byText.has(key)) {
		const at = labels.length;
		labels.push(...l);
		for (let k = 0; k <= l.length; k++) if (!byText.has(l.slice(k).join())) byText.set(l.slice(k).join(), at + k);
	}
	leafRows[i] = { at: byText.get(key), length: l.length };
});
out.push(`const uint16_t callsync_phone_leaf_labels[${labels.length}] = {`);
wrap(labels, 20);
out.push('};\n');
out.push(`const CallsyncPhoneLeaf callsync_phone_leaves[${leaves.length}] = {`);
wrap(leafRows.map((l) => `{${l.at}, ${l.length}}`), 10);
out.push('};\n');

out.push(`const CallsyncPhoneTerritory callsync_phone_territories[${territories.length}] = {`);
territories.forEach((t) => out.push(`\t{"${t.id}", ${t.callingCode}, ${ref(t.generalRoot)}, ${ref(t.iddRoot)}, ${ref(t.npRoot)}, ${ref(t.shortRoot)}, ${ref(t.emergencyRoot)}, `
	+ `0x${t.possible.toString(16)}, 0x${t.localOnly.toString(16)}, ${pooled(t.npPrefix)}, ${t.hasShort}, ${t.emergencyExact}},`));
out.push('};\n');
out.push(`const CallsyncPhoneCallingCode callsync_phone_calling_codes[${callingCodes.length}] = {`);
callingCodes.forEach((c) => out.push(`\t{${c.code}, ${ref(c.typeRoot)}, ${ref(c.formatRoot)}, ${c.formatBase}, ${c.extension}, ${c.main}, ${c.single}},`));
out.push('};\n');

const codeIndex = new Array(1000).fill(0);
callingCodes.forEach((c, i) => { codeIndex[c.code] = i + 1; });
if (callingCodes.length > 254 || territories.length > 254) throw new Error('8-bit indexes are too small');
out.push('/* calling code -> index into callsync_phone_calling_codes + 1, 0 if there is none */');
out.push('const uint8_t callsync_phone_code_index[1000] = {');
wrap(codeIndex, 25);
out.push('};\n');
const regionIndex = new Array(26 * 26).fill(0);
territories.forEach((t, i) => { if (t.id !== '001') regionIndex[(t.id.charCodeAt(0) - 65) * 26 + t.id.charCodeAt(1) - 65] = i + 1; });
out.push('/* two letters -> index into callsync_phone_territories + 1, 0 if there is none */');
out.push('const uint8_t callsync_phone_region_index[26 * 26] = {');
wrap(regionIndex, 26);
out.push('};\n');

out.push(`const CallsyncPhoneNpAction callsync_phone_np_actions[${npActions.length}] = {`);
out.push('\t{0, 0, 0, 0, 0, 0},');
npActions.slice(1).forEach((a) => out.push(`\t{${a.end}, ${+a.transform}, ${a.kept.from}, ${a.kept.length}, ${a.carrier.from}, ${a.carrier.length}},`));
out.push('};\n');
out.push(`const CallsyncPhoneFormat callsync_phone_formats[${formats.length}] = {`);
formats.forEach((f) => {
	if (f.groups.length > 6) throw new Error('too many groups');
	const g = [...f.groups, ...new Array(6 - f.groups.length).fill({ min: 0, max: 0 })];
	out.push(`\t{${f.national}, ${f.international}, ${f.rfc}, ${f.groups.length}, {${g.map((x) => x.min).join(',')}}, {${g.map((x) => x.max).join(',')}}},`);
});
out.push('};\n');
out.push('const char callsync_phone_pool[] =');
for (const s of poolOffset.keys()) out.push(`\t${cString(s)} "\\0"`);
out.push('\t;');

const bytes = states.length * 22 + labels.length * 2 + leaves.length * 4 + territories.length * 28 + callingCodes.length * 12 + 1676
	+ npActions.length * 6 + formats.length * 20 + pool.length;
if (bytes > 400 * 1024) throw new Error(`${bytes} bytes of tables: over the budget of 400 KB`);
fs.writeFileSync(process.argv[2], out.join('\n') + '\n');
console.log(`google-libphonenumber ${VERSION}: ${territories.length} territories, ${callingCodes.length} calling codes, ${states.length} states, `
	+ `${leaves.length} leaves, ${formats.length} formats, about ${Math.round(bytes / 1024)} KB`);
