'use strict';
// Is a text well-formed XML? Returns what is wrong, or null. Enough to catch unescaped text and
// unbalanced elements; not a validating parser.
function wellFormed(xml) {
	const stack = [];
	let i = 0, roots = 0;
	const entity = text => /&(?!(?:amp|lt|gt|quot|apos|#\d+|#x[0-9a-fA-F]+);)/.test(text);
	// characters that XML 1.0 cannot hold
	if (/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/.test(xml)) return 'a character that XML cannot hold';
	while (i < xml.length) {
		const at = xml.indexOf('<', i);
		const chunk = xml.slice(i, at < 0 ? xml.length : at);
		if (entity(chunk)) return 'an unescaped &';
		if (chunk.trim() && !stack.length) return 'text outside of the root element';
		if (chunk.includes(']]>')) return ']]> in text';
		if (at < 0) break;
		const special = [['<!--', '-->'], ['<![CDATA[', ']]>'], ['<?', '?>'], ['<!', '>']].find(([open]) => xml.startsWith(open, at));
		if (special) {
			const end = xml.indexOf(special[1], at + special[0].length);
			if (end < 0) return `unclosed ${special[0]}`;
			i = end + special[1].length;
			continue;
		}
		const m = /^<(\/?)([A-Za-z_][\w:.-]*)((?:\s+[A-Za-z_][\w:.-]*\s*=\s*(?:"[^"<]*"|'[^'<]*'))*)\s*(\/?)>/.exec(xml.slice(at));
		if (!m) return `a bad tag at ${at}`;
		if (entity(m[3])) return 'an unescaped & in an attribute';
		i = at + m[0].length;
		if (m[1]) { if (stack.pop() !== m[2]) return `</${m[2]}> closes nothing`; continue; }
		if (!stack.length && ++roots > 1) return 'two root elements';
		if (!m[4]) stack.push(m[2]);
	}
	if (stack.length) return `<${stack.pop()}> is not closed`;
	return roots ? null : 'no root element';
}
module.exports = { wellFormed };
