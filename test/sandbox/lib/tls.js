'use strict';
// A self-signed certificate for loopback, made by openssl at start: nothing secret is committed.
// Clients trust FOLDER/cert.pem.
const fs = require('fs');
const path = require('path');
const { execFileSync } = require('child_process');

function makeCertificate(folder) {
	fs.mkdirSync(folder, { recursive: true });
	const key = path.join(folder, 'key.pem'), cert = path.join(folder, 'cert.pem');
	if (!fs.existsSync(key) || !fs.existsSync(cert)) {
		execFileSync('openssl', ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '30',
			'-subj', '/CN=callsync sandbox', '-addext', 'subjectAltName=IP:127.0.0.1,DNS:localhost',
			'-keyout', key, '-out', cert], { stdio: ['ignore', 'ignore', 'pipe'] });
		fs.chmodSync(key, 0o600);
	}
	return { key: fs.readFileSync(key), cert: fs.readFileSync(cert) };
}
module.exports = { makeCertificate };
