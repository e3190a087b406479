'use strict';
// A small XML reader: {root, instructions} or {wrong}. Enough to catch unescaped text and unbalanced
// elements and to look at what is inside; not a validating parser.
const ENTITIES = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" };
const decode = text => text.replace(/&(?:#x([0-9a-fA-F]+)|#(\d+)|(\w+));/g, (whole, hex, dec, name) => (hex ? String.fromCodePoint(parseInt(hex, 16)) : dec ? String.fromCodePoint(Number(dec)) : ENTITIES[name]));

function parse(xml) {
	const stack = [], instructions = [];
	let i = 0, root = null;
	const entity = text => /&(?!(?:amp|lt|gt|quot|apos|#\d+|#x[0-9a-fA-F]+);)/.test(text);
	const wrong = text => ({ wrong: text });
	// characters that XML 1.0 cannot hold
	if (/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/.test(xml)) return wrong('a character that XML cannot hold');
	while (i < xml.length) {
		const at = xml.indexOf('<', i);
		const chunk = xml.slice(i, at < 0 ? xml.length : at);
		if (entity(chunk)) return wrong('an unescaped &');
		if (chunk.trim() && !stack.length) return wrong('text outside of the root element');
		if (chunk.includes(']]>')) return wrong(']]> in text');
		if (stack.length) stack[stack.length - 1].text += decode(chunk);
		if (at < 0) break;
		const special = [['<!--', '-->'], ['<![CDATA[', ']]>'], ['<?', '?>'], ['<!', '>']].find(([open]) => xml.startsWith(open, at));
		if (special) {
			const end = xml.indexOf(special[1], at + special[0].length);
			if (end < 0) return wrong(`unclosed ${special[0]}`);
			if (special[0] === '<?') instructions.push(xml.slice(at + 2, end).trim());
			if (special[0] === '<![CDATA[' && stack.length) stack[stack.length - 1].text += xml.slice(at + 9, end);
			i = end + special[1].length;
			continue;
		}
		const m = /^<(\/?)([A-Za-z_][\w:.-]*)((?:\s+[A-Za-z_][\w:.-]*\s*=\s*(?:"[^"<]*"|'[^'<]*'))*)\s*(\/?)>/.exec(xml.slice(at));
		if (!m) return wrong(`a bad tag at ${at}`);
		if (entity(m[3])) return wrong('an unescaped & in an attribute');
		i = at + m[0].length;
		if (m[1]) {
			const open = stack.pop();
			if (!open || open.name !== m[2]) return wrong(`</${m[2]}> closes nothing`);
			continue;
		}
		const node = { name: m[2], attributes: {}, children: [], text: '' };
		for (const a of m[3].matchAll(/([A-Za-z_][\w:.-]*)\s*=\s*(?:"([^"]*)"|'([^']*)')/g)) node.attributes[a[1]] = decode(a[2] ?? a[3]);
		if (stack.length) stack[stack.length - 1].children.push(node);
		else if (root) return wrong('two root elements');
		else root = node;
		if (!m[4]) stack.push(node);
	}
	if (stack.length) return wrong(`<${stack.pop().name}> is not closed`);
	return root ? { root, instructions } : wrong('no root element');
}
const wellFormed = xml => parse(xml).wrong || null;
module.exports = { parse, wellFormed };
