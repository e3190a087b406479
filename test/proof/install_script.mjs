// install_script.mjs [FILE.sql]
// PostgreSQL's own parser reads the install script, and every function body in it, for what the tool pgspot warns of (its published
// rules PS001 to PS017; the tool itself comes from a registry that not every machine reaches). Stricter than that tool in one thing:
// CREATE OR REPLACE and IF NOT EXISTS are errors in any schema. First each rule is shown to find what it is for.
import { parse, parsePlPgSQL } from 'libpg-query';
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const RULES = {
	PS001: [ 'warning', 'operator without schema', 'SELECT a + b FROM s.t' ],
	PS002: [ 'error', 'CREATE OR REPLACE FUNCTION', 'CREATE OR REPLACE FUNCTION s.f() RETURNS int LANGUAGE c AS $$x$$' ],
	PS003: [ 'error', 'SECURITY DEFINER without a search_path', 'CREATE FUNCTION s.f() RETURNS int LANGUAGE sql SECURITY DEFINER AS $$SELECT 1$$' ],
	PS004: [ 'error', 'SECURITY DEFINER with an unsafe search_path', 'CREATE FUNCTION s.f() RETURNS int LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_catalog AS $$SELECT 1$$' ],
	PS005: [ 'warning', 'function without a search_path', 'CREATE FUNCTION s.f() RETURNS int LANGUAGE plpgsql AS $$BEGIN RETURN 1; END$$' ],
	PS006: [ 'warning', 'CREATE OR REPLACE TRANSFORM', 'CREATE OR REPLACE TRANSFORM FOR s.t LANGUAGE plpgsql (FROM SQL WITH FUNCTION s.f(internal))' ],
	PS007: [ 'error', 'CREATE OR REPLACE of another object', 'CREATE OR REPLACE AGGREGATE s.a(int) (SFUNC = s.f, STYPE = int)' ],
	PS009: [ 'error', 'CASE that compares with an operator nobody named', 'SELECT CASE a WHEN 1 THEN 2 END FROM s.t' ],
	PS010: [ 'error', 'CREATE SCHEMA IF NOT EXISTS', 'CREATE SCHEMA IF NOT EXISTS s' ],
	PS011: [ 'error', 'CREATE SEQUENCE IF NOT EXISTS', 'CREATE SEQUENCE IF NOT EXISTS s.q' ],
	PS012: [ 'error', 'CREATE TABLE IF NOT EXISTS', 'CREATE TABLE IF NOT EXISTS s.t (a int)' ],
	PS013: [ 'error', 'CREATE SERVER IF NOT EXISTS', 'CREATE SERVER IF NOT EXISTS x FOREIGN DATA WRAPPER y' ],
	PS014: [ 'error', 'CREATE INDEX IF NOT EXISTS', 'CREATE INDEX IF NOT EXISTS i ON s.t (a)' ],
	PS015: [ 'error', 'CREATE OR REPLACE VIEW', 'CREATE OR REPLACE VIEW s.v AS SELECT 1' ],
	PS016: [ 'warning', 'function call without schema', 'SELECT now()' ],
	PS017: [ 'error', 'type without schema', 'SELECT a::name FROM s.t' ],
};

let found = [];
let bodies = 0;
const report = (rule, where) => found.push({ rule, where });
const is_safe = (set) => (set.args ?? []).map((a) => a.A_Const?.sval?.sval ?? '?').join(',') === 'pg_catalog,pg_temp';
const option = (node, name) => node.options?.map((o) => o.DefElem).find((o) => o.defname === name)?.arg;
const last = (names) => names.map((n) => n.String?.sval ?? '?').join('.');

// Whatever stands in a PL/pgSQL function as a piece of SQL: a statement, an expression, an assignment.
async function piece(query, state)
{
	for (const text of [ query, `SELECT ${query}`, `SELECT ${query.replace(/^[\w.\[\]" ]+(?::=|=)/, '')}` ]) {
		let tree;
		try { tree = await parse(text); }
		catch { continue; }
		// "x = 1" is an assignment as well as an expression: only what is right of it was written
		const assigned = text === query ? undefined : /^\s*[\w.]+(?:\[[^\]]*\])?\s*(?::=|=)/.exec(query);
		await statements(tree.stmts, assigned && state.assignment ? (await parse(`SELECT ${query.slice(assigned[0].length)}`)).stmts : undefined, state);
		return;
	}
	report('unknown', `${state.where}: ${query.slice(0, 80)}`);
}
async function statements(stmts, instead, state) { for (const s of instead ?? stmts ?? []) await walk(s.stmt, state); }

async function plpgsql(tree, state)
{
	if (Array.isArray(tree)) { for (const t of tree) await plpgsql(t, state); return; }
	if (tree === null || typeof tree !== 'object') return;
	for (const [ key, value ] of Object.entries(tree)) {
		if (key === 'PLpgSQL_expr') await piece(value.query, state);
		else await plpgsql(value, { ...state, assignment: key === 'PLpgSQL_stmt_assign' || (state.assignment && key === 'expr') });
	}
}

// The parser knows no catalog, so no types of ours; what type a variable has is no matter of these rules.
async function body_of(text)
{
	text = text.replace(/[\w.]+%ROWTYPE/gi, 'record').replace(/[\w.]+%TYPE/gi, 'text');
	for (;;) {
		try { return await parsePlPgSQL(text); }
		catch (e) {
			const type = /^type "([\w.]+)(?:\[\])?" does not exist/.exec(e.message)?.[1];
			const next = type && text.replace(new RegExp(`(?<![\\w.])${type.replaceAll('.', '\\.')}(?![\\w.(])`, 'g'), 'record');
			if (!next || next === text) throw e;
			text = next;
		}
	}
}

async function routine(node, text, state)
{
	const name = last(node.funcname);
	const language = option(node, 'language').String.sval;
	const set = node.options.map((o) => o.DefElem).find((o) => o.defname === 'set' && o.arg.VariableSetStmt.name === 'search_path')?.arg.VariableSetStmt;
	const safe = set !== undefined && is_safe(set);
	if (node.replace) report('PS002', name);
	if (option(node, 'security')?.Boolean.boolval && language !== 'c') {
		if (!set) report('PS003', name);
		else if (!safe) report('PS004', name);
	}
	// a body that was parsed at once is bound to what the script's own search_path found
	if (node.sql_body) { bodies++; await walk(node.sql_body, { ...state, where: name }); return; }
	if (language === 'c' || language === 'internal') return;
	bodies++;
	if (!safe) report('PS005', name);
	const inner = { safe, where: name };
	if (language === 'sql') await statements((await parse(option(node, 'as').List.items[0].String.sval)).stmts, undefined, inner);
	else if (language === 'plpgsql') await plpgsql(await body_of(text), inner);
	else report('unknown', `${name}: language ${language}`);
}

const checks = {
	A_Expr: (n, s) => { if (n.name.length !== 2 && !s.safe) report('PS001', `${s.where}: ${last(n.name)}`); },
	SubLink: (n, s) => { if (n.operName && n.operName.length !== 2 && !s.safe) report('PS001', `${s.where}: ${last(n.operName)} ANY`); },
	CaseExpr: (n, s) => { if (n.arg && !s.safe) report('PS009', s.where); },
	FuncCall: (n, s) => { if (n.funcname.length !== 2 && !s.safe) report('PS016', `${s.where}: ${last(n.funcname)}`); },
	TypeCast: (n, s) => { if (n.typeName.names.length === 1 && !s.safe) report('PS017', `${s.where}: ${last(n.typeName.names)}`); },
	ColumnDef: (n, s) => { if (n.typeName && n.typeName.names.length === 1 && !s.safe) report('PS017', `${s.where}: ${n.colname}`); },
	DefineStmt: (n, s) => {
		if (n.defnames.length === 1 && !s.safe) report('PS017', last(n.defnames));
		if (n.replace || n.if_not_exists) report('PS007', last(n.defnames));
	},
	CreateTransformStmt: (n) => { if (n.replace) report('PS006', 'transform'); },
	CreateTrigStmt: (n) => { if (n.replace) report('PS007', n.trigname); },
	CreatePLangStmt: (n) => { if (n.replace) report('PS007', n.plname); },
	CreateSchemaStmt: (n) => { if (n.if_not_exists) report('PS010', n.schemaname); },
	CreateSeqStmt: (n) => { if (n.if_not_exists) report('PS011', n.sequence.relname); },
	CreateStmt: (n) => { if (n.if_not_exists) report('PS012', n.relation.relname); },
	CreateTableAsStmt: (n) => { if (n.if_not_exists) report('PS007', n.into.rel.relname); },
	CreateForeignServerStmt: (n) => { if (n.if_not_exists) report('PS013', n.servername); },
	IndexStmt: (n) => { if (n.if_not_exists) report('PS014', n.idxname); },
	ViewStmt: (n) => { if (n.replace) report('PS015', n.view.relname); },
};

async function walk(node, state)
{
	if (Array.isArray(node)) { for (const n of node) await walk(n, state); return; }
	if (node === null || typeof node !== 'object') return;
	for (const [ key, value ] of Object.entries(node)) {
		checks[key]?.(value, state);
		if (key === 'CreateFunctionStmt') await routine(value, state.text, state);
		else await walk(value, state);
	}
}

// A script: its statements one after another, because they change the search_path of the next.
async function script(text)
{
	found = [];
	bodies = 0;
	const bytes = Buffer.from(text.replace(/^\\/gm, '-- '));
	const tree = await parse(bytes.toString());
	let safe = false;
	for (const s of tree.stmts) {
		const from = s.stmt_location ?? 0;
		const own = bytes.subarray(from, s.stmt_len ? from + s.stmt_len : undefined).toString();
		const set = s.stmt.VariableSetStmt;
		const state = { safe, where: `line ${bytes.subarray(0, from).toString().split('\n').length}`, text: own };
		if (set?.name === 'search_path') safe = set.kind === 'VAR_SET_VALUE' && is_safe(set);
		else if (s.stmt.DoStmt) { bodies++; await plpgsql(await body_of(own), state); }
		else await walk(s.stmt, state);
	}
	return tree.stmts.length;
}

let passed = 0, failed = 0;
const verdict = (ok, text) => { if (ok) passed++; else failed++; console.log(`  ${ok ? 'ok' : 'FAILED'}: ${text}`); };
for (const [ rule, [ , , sample ] ] of Object.entries(RULES)) {
	await script(sample);
	verdict(found.some((f) => f.rule === rule), `${rule} finds ${sample}`);
}
await script('DO $$DECLARE x int := abs(1); BEGIN IF 1 OPERATOR(pg_catalog.>) x + 1 THEN x := pg_catalog.length(pg_catalog.now()::name); END IF; END$$');
verdict([ 'PS001', 'PS016', 'PS017' ].every((r) => found.filter((f) => f.rule === r).length === 1) && found.length === 3, 'each piece of a body is read, once');
await script('SET LOCAL search_path = pg_catalog, pg_temp; SELECT a + b, now(), a::name FROM s.t');
verdict(found.length === 0, 'a safe search_path makes names safe');

const top = join(dirname(fileURLToPath(import.meta.url)), '../..');
const version = /^default_version = '(.*)'/m.exec(readFileSync(join(top, 'callsync.control'), 'utf8'))[1];
const file = process.argv[2] ?? join(top, `callsync--${version}.sql`);
const n = await script(readFileSync(file, 'utf8'));
for (const [ rule, [ , what ] ] of Object.entries(RULES)) {
	const of = found.filter((f) => f.rule === rule);
	verdict(of.length === 0, `${rule}: ${what}${of.map((f) => `\n      ${f.where}`).join('')}`);
}
const unknown = found.filter((f) => f.rule === 'unknown');
verdict(unknown.length === 0, `everything was read: ${n} statements, ${bodies} bodies${unknown.map((f) => `\n      ${f.where}`).join('')}`);
const errors = found.filter((f) => RULES[f.rule]?.[0] === 'error').length;
console.log(`${errors} errors, ${found.length - errors - unknown.length} warnings, ${unknown.length} unknown`);
console.log(`install_script: ${passed} passed, ${failed} failed`);
process.exit(failed ? 1 : 0);
