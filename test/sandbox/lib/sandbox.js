'use strict';
// The whole: dialects, their endpoints, and what they share.
const http = require('http');
const fs = require('fs');
const { Clock } = require('./clock');
const { Faults } = require('./faults');
const { RequestLog } = require('./log');
const { JournalFile, Journal, restore } = require('./journal');
const { Endpoint, HOST } = require('./endpoint');
const { Control } = require('./control');
const { makeCertificate } = require('./tls');

const DIALECTS = {
	hubspot: () => require('../hubspot'),
	salesforce: () => require('../salesforce'),
	pipedrive: () => require('../pipedrive'),
	zoho: () => require('../zoho'),
	dynamics: () => require('../dynamics'),
	webhook: () => require('../webhook'),
};

class Sandbox {
	// opts: {dialects: [{name, port, tlsPort}], port, seed, tls: folder|null, journal: path|null, logBodies}
	constructor(opts) {
		this.opts = opts;
		this.seed = opts.seed;
		this.clock = new Clock();
		this.config = { keepalive_ms: 60000, max_requests_per_connection: 0 };
		this.faults = new Faults(opts.seed);
		this.log = new RequestLog();
		this.log.bodies = opts.logBodies !== false;
		this.crashes = [];
		this.dialects = new Map();
		this.control = new Control(this);
	}

	async start() {
		const tls = this.opts.tls ? makeCertificate(this.opts.tls) : null;
		for (const d of this.opts.dialects) {
			const Kind = DIALECTS[d.name]();
			const dialect = new Kind(this);
			dialect.reset();
			this.dialects.set(d.name, dialect);
			new Endpoint(dialect, this, { port: d.port, tlsPort: d.tlsPort, tls });
		}
		if (this.opts.journal) {
			this.journal = new JournalFile(this.opts.journal);
			restore(this.opts.journal, this.dialects);
			for (const [n, d] of this.dialects) d.store.journal = d.tokens.journal = new Journal(this.journal, n);
		}
		for (const d of this.dialects.values()) await d.endpoint.listen();
		this.server = http.createServer((req, res) => this.control.handle(req, res, null).catch(e => { process.stderr.write(e.stack + '\n'); res.destroy(); }));
		this.server.requestTimeout = 0;
		await new Promise((ok, no) => { this.server.once('error', no); this.server.listen(this.opts.port || 0, HOST, ok); });
		return this.ports();
	}
	async stop() {
		await Promise.all([...this.dialects.values()].map(d => d.endpoint.close()));
		this.server.closeAllConnections && this.server.closeAllConnections();
		await new Promise(r => this.server.close(r));
		this.journalFlush();
	}
	ports() {
		const out = { pid: process.pid, control: this.server.address().port, dialects: {} };
		for (const [n, d] of this.dialects) out.dialects[n] = { port: d.endpoint.opts.port, tls_port: d.endpoint.opts.tlsPort || null };
		if (this.opts.tls) out.tls_folder = this.opts.tls;
		return out;
	}
	journalFlush() { if (this.journal) this.journal.flush(); }

	// Whole or not at all: a reader that polls for the file never sees half of it.
	writePorts(file) {
		fs.writeFileSync(file + '.tmp', JSON.stringify(this.ports()) + '\n');
		fs.renameSync(file + '.tmp', file);
	}
}
module.exports = { Sandbox, DIALECTS };
