#!/usr/bin/env node
'use strict';
// Entry point of the sandbox CRM; see README.md.
const { parse, USAGE, UsageError } = require('./lib/options');
const { Sandbox } = require('./lib/sandbox');

async function main() {
	const opts = parse(process.argv.slice(2));
	if (opts.help) { process.stdout.write(USAGE + '\n'); return; }
	const sandbox = new Sandbox(opts);
	await sandbox.start();
	if (opts.portFile) sandbox.writePorts(opts.portFile);
	else process.stdout.write(JSON.stringify(sandbox.ports()) + '\n');

	let stopping = false;
	const stop = () => {
		if (stopping) return;
		stopping = true;
		sandbox.stop().then(() => process.exit(0), () => process.exit(1));
	};
	process.on('SIGTERM', stop);
	process.on('SIGINT', stop);
	if (opts.exitWithStdin) {
		process.stdin.on('end', stop);
		process.stdin.on('close', stop);
		process.stdin.resume();
	}
}

main().catch(e => {
	process.stderr.write(e instanceof UsageError ? `sandbox: ${e.message}\n\n${USAGE}\n` : `sandbox: ${e.stack}\n`);
	process.exit(e instanceof UsageError ? 2 : 1);
});
