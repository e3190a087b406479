-- Rules that every object of the extension follows, read from the catalog: each query lists
-- the objects that break one, so each has to be empty.
SET search_path = pg_catalog;
CREATE TEMP VIEW own_function AS
SELECT p.oid::regprocedure AS function, p.*, l.lanname
FROM pg_proc p JOIN pg_language l ON l.oid = p.prolang JOIN pg_depend d ON d.classid = 'pg_proc'::regclass AND d.objid = p.oid
JOIN pg_extension e ON d.refclassid = 'pg_extension'::regclass AND d.refobjid = e.oid AND d.deptype = 'e'
WHERE e.extname = 'callsync';
CREATE TEMP VIEW own_relation AS
SELECT c.oid::regclass AS relation, c.*
FROM pg_class c JOIN pg_depend d ON d.classid = 'pg_class'::regclass AND d.objid = c.oid
JOIN pg_extension e ON d.refclassid = 'pg_extension'::regclass AND d.refobjid = e.oid AND d.deptype = 'e'
WHERE e.extname = 'callsync';

-- a body that is text is parsed when it runs: it must not look names up where others can put theirs
SELECT function FROM own_function
WHERE lanname IN ('sql', 'plpgsql') AND prosqlbody IS NULL
	AND NOT coalesce(proconfig, '{}') && ARRAY['search_path=pg_catalog, pg_temp', 'search_path=""']
ORDER BY function::text;
-- who runs with the owner's rights is C or has a pinned search_path
SELECT function FROM own_function
WHERE prosecdef AND lanname <> 'c' AND NOT coalesce(proconfig, '{}') && ARRAY['search_path=pg_catalog, pg_temp', 'search_path=""']
ORDER BY function::text;
-- C functions: our prefix, and our library only
SELECT function, prosrc, probin FROM own_function
WHERE lanname = 'c' AND (prosrc !~ '^callsync_' OR probin <> '$libdir/callsync')
ORDER BY function::text;
-- nothing in another language
SELECT function, lanname FROM own_function WHERE lanname NOT IN ('c', 'sql', 'plpgsql', 'internal') ORDER BY function::text;
-- everything is in the extension's schema
SELECT function FROM own_function WHERE pronamespace <> (SELECT oid FROM pg_namespace WHERE nspname = 'callsync') ORDER BY function::text;
SELECT relation FROM own_relation WHERE relnamespace <> (SELECT oid FROM pg_namespace WHERE nspname = 'callsync') ORDER BY relation::text;

-- PUBLIC reads and writes nothing
SELECT relation, a.privilege_type FROM own_relation, aclexplode(coalesce(relacl, acldefault('r', relowner))) a
WHERE a.grantee = 0 AND relkind <> 'c'
ORDER BY relation::text, 2;
-- PUBLIC executes nothing that changes data or runs with the owner's rights
SELECT function FROM own_function, aclexplode(coalesce(proacl, acldefault('f', proowner))) a
WHERE a.grantee = 0 AND (prosecdef OR provolatile = 'v')
ORDER BY function::text;
-- no role but the owner may truncate (the contact mirror, which is a copy, excepted), or create triggers and references
SELECT relation, a.grantee::regrole, a.privilege_type FROM own_relation, aclexplode(relacl) a
WHERE a.grantee <> relowner AND a.privilege_type IN ('TRUNCATE', 'TRIGGER', 'REFERENCES') OR a.is_grantable AND a.grantee <> relowner
ORDER BY relation::text, 2, 3;

-- what a user can call or read says what it is for (of an operator or a type that is the
-- operator or the type, not the function behind)
SELECT function FROM own_function
WHERE EXISTS (SELECT FROM aclexplode(coalesce(proacl, acldefault('f', proowner))) a
			  WHERE a.grantee <> proowner AND a.grantee <> to_regrole('callsync_worker'))
	AND obj_description(oid, 'pg_proc') IS NULL
	AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.refclassid = 'pg_proc'::regclass AND d.refobjid = own_function.oid
					AND d.classid IN ('pg_type'::regclass, 'pg_operator'::regclass, 'pg_amproc'::regclass, 'pg_proc'::regclass))
ORDER BY function::text;
SELECT relation FROM own_relation
WHERE relkind IN ('r', 'p', 'v') AND obj_description(oid, 'pg_class') IS NULL AND NOT relispartition
	AND EXISTS (SELECT FROM aclexplode(relacl) a WHERE a.grantee <> relowner AND a.grantee <> to_regrole('callsync_worker'))
ORDER BY relation::text;

SELECT d.objid::regoperator AS operator
FROM pg_depend d JOIN pg_extension e ON d.refclassid = 'pg_extension'::regclass AND d.refobjid = e.oid
WHERE d.classid = 'pg_operator'::regclass AND d.deptype = 'e' AND e.extname = 'callsync' AND obj_description(d.objid, 'pg_operator') IS NULL
ORDER BY 1::text;
SELECT d.objid::regtype AS type
FROM pg_depend d JOIN pg_type t ON t.oid = d.objid JOIN pg_extension e ON d.refclassid = 'pg_extension'::regclass AND d.refobjid = e.oid
WHERE d.classid = 'pg_type'::regclass AND d.deptype = 'e' AND e.extname = 'callsync' AND t.typcategory <> 'A'
	AND t.typrelid = 0 AND obj_description(d.objid, 'pg_type') IS NULL
ORDER BY 1::text;

-- a function of its arguments alone may run in parallel workers
SELECT function FROM own_function WHERE proparallel = 'u' AND provolatile = 'i' ORDER BY function::text;
-- every foreign key can be followed backwards by an index (a delete would scan the table)
SELECT conrelid::regclass, conname FROM pg_constraint k
WHERE contype = 'f' AND conparentid = 0 AND conrelid IN (SELECT oid FROM own_relation) AND confdeltype <> 'a'
	AND NOT EXISTS (SELECT FROM pg_index i WHERE i.indrelid = conrelid
					AND (i.indkey::int2[])[0:cardinality(conkey) - 1] @> conkey AND i.indpred IS NULL)
ORDER BY conrelid::regclass::text, conname;
