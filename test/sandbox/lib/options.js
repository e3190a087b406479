'use strict';
const { DIALECTS } = require('./sandbox');

const USAGE = `usage: node sandbox.js [options]

  --dialect LIST      dialects to speak, comma separated, each NAME[:PORT[:TLSPORT]]
                      (known: ${Object.keys(DIALECTS).join(', ')}; default hubspot)
  --port N            port of the control API (default 0: any free one)
  --port-file FILE    write the ports there as JSON; without it one JSON line goes to stdout
  --tls FOLDER        speak HTTPS as well; certificate and key are made in FOLDER
  --seed N            seed of everything random (default 1)
  --journal FILE      keep records over a restart
  --no-log-bodies     do not keep request and reply bodies (load tests)
  --exit-with-stdin   exit when standard input closes (dies with its parent)
  --help`;

class UsageError extends Error {}

function parse(argv) {
	const o = { dialects: null, port: 0, portFile: null, tls: null, seed: 1, journal: null, logBodies: true, exitWithStdin: false, help: false };
	for (let i = 0; i < argv.length; i++) {
		let [name, value] = argv[i].split(/=(.*)/s, 2);
		const need = () => {
			if (value === undefined) value = argv[++i];
			if (value === undefined) throw new UsageError(`${name} needs a value`);
			return value;
		};
		const number = () => {
			const n = Number(need());
			if (!Number.isInteger(n) || n < 0) throw new UsageError(`${name} needs a number, not "${value}"`);
			return n;
		};
		switch (name) {
		case '--dialect': o.dialects = need().split(',').filter(Boolean).map(dialect); break;
		case '--port': o.port = number(); break;
		case '--port-file': o.portFile = need(); break;
		case '--tls': o.tls = need(); break;
		case '--seed': o.seed = number(); break;
		case '--journal': o.journal = need(); break;
		case '--no-log-bodies': o.logBodies = false; break;
		case '--exit-with-stdin': o.exitWithStdin = true; break;
		case '--help': o.help = true; break;
		default: throw new UsageError(`unknown option "${name}"`);
		}
	}
	if (!o.dialects) o.dialects = [dialect('hubspot')];
	return o;
}

function dialect(text) {
	const [name, port, tlsPort] = text.split(':');
	if (!DIALECTS[name]) throw new UsageError(`unknown dialect "${name}"; known: ${Object.keys(DIALECTS).join(', ')}`);
	return { name, port: Number(port || 0), tlsPort: Number(tlsPort || 0) };
}
module.exports = { parse, USAGE, UsageError };
