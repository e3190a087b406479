'use strict';
// Path patterns to handlers. A pattern is segments; ':name' captures one segment (percent-decoded).
class Router {
	constructor() { this.routes = []; }
	// op names the operation for the request log, limits and costs.
	add(method, pattern, op, handler) {
		const names = [];
		const source = pattern.split('/').map(seg => {
			if (!seg.startsWith(':')) return seg.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
			const m = /^:(\w+)(\((.*)\))?$/.exec(seg);
			names.push(m[1]);
			return `(${m[3] || '[^/]+'})`;
		}).join('/');
		this.routes.push({ method, re: new RegExp(`^${source}/?$`), names, op, handler });
	}
	// For addresses that do not fall into segments: named groups are the parameters.
	addRegex(method, re, op, handler) { this.routes.push({ method, re, names: null, op, handler }); }
	// {route, params}, or {allowed: [methods]} when only the method is wrong, or null.
	find(method, path) {
		const allowed = [];
		for (const route of this.routes) {
			const m = route.re.exec(path);
			if (!m) continue;
			if (route.method !== method) { allowed.push(route.method); continue; }
			const params = {};
			try {
				if (!route.names) for (const [n, v] of Object.entries(m.groups)) params[n] = v === undefined ? undefined : decodeURIComponent(v);
				else route.names.forEach((n, i) => { params[n] = decodeURIComponent(m[i + 1]); });
			} catch { return null; }
			return { route, params };
		}
		return allowed.length ? { allowed } : null;
	}
}
module.exports = { Router };
