'use strict';
// Optional journal: one JSON line per change, so that a test can kill and restart the sandbox
// without losing records. Written with one write() per request, before the reply leaves; the page
// cache outlives a killed process, which is all that is promised (no fsync).
const fs = require('fs');

class JournalFile {
	constructor(path) {
		this.path = path;
		JournalFile.dropTornLine(path);
		this.fd = fs.openSync(path, 'a');
		this.lines = [];
	}
	// A torn last line is what a kill leaves behind; its request was never answered.
	static dropTornLine(path) {
		if (!fs.existsSync(path)) return;
		const bytes = fs.readFileSync(path);
		const end = bytes.lastIndexOf(10) + 1;
		if (end !== bytes.length) fs.truncateSync(path, end);
	}
	static read(path) {
		if (!fs.existsSync(path)) return [];
		const out = [];
		for (const line of fs.readFileSync(path, 'utf8').split('\n')) {
			if (line) out.push(JSON.parse(line));
		}
		return out;
	}
	append(entry) { this.lines.push(JSON.stringify(entry)); }
	flush() {
		if (!this.lines.length) return;
		fs.writeSync(this.fd, this.lines.join('\n') + '\n');
		this.lines.length = 0;
	}
}

// The part of the file that belongs to one dialect.
class Journal {
	constructor(file, dialect) { this.file = file; this.dialect = dialect; }
	append(entry) {
		// The indexed copy is rebuilt; it would double the file.
		if (entry.record) entry = { ...entry, record: { ...entry.record, indexed: undefined } };
		this.file.append({ d: this.dialect, ...entry });
	}
	truncate() { this.file.append({ d: this.dialect, op: 'clear' }); }
	mark() { return this.file.lines.length; }
	rewind(mark) { this.file.lines.length = mark; }
}

// Replays what the file holds; Map dialect name -> dialect.
function restore(path, dialects) {
	for (const e of JournalFile.read(path)) {
		const dialect = dialects.get(e.d);
		if (!dialect) continue;
		if (e.op === 'clear') dialect.store.empty();
		else if (e.op === 'tokens') dialect.tokens.replay(e);
		else dialect.store.replay(e);
	}
	for (const d of dialects.values()) d.restored();
}
module.exports = { JournalFile, Journal, restore };
