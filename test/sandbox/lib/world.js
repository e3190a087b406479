'use strict';
// Changes to the world outside of any request: schema, tokens, up and down. Used by the control API
// and by fault rules that carry such an action.
const { ControlError } = require('./errors');

async function applyWorld(dialect, a) {
	const { schema, store, tokens } = dialect;
	if (a.object && dialect.objectName) a = { ...a, object: dialect.objectName(a.object) || a.object };
	const needSchema = () => {
		if (!schema) throw new ControlError(`dialect "${dialect.name}" has no schema`);
		if (!a.object) throw new ControlError(`action "${a.action}" needs an object`);
	};
	switch (a.action) {
	case 'rename_field':
		needSchema();
		schema.rename(store, a.object, a.field, a.to);
		break;
	case 'remove_field': needSchema(); schema.remove(a.object, a.field); break;
	case 'remove_permission': needSchema(); schema.permission(a.object, a.field, a.mode || 'silent'); break;
	case 'restore_permission': needSchema(); schema.permission(a.object, a.field, null); break;
	case 'retype': {
		needSchema();
		const change = {};
		for (const k of ['type', 'fieldType', 'max', 'options', 'readonly', 'required', 'unique']) if (a[k] !== undefined) change[k] = a[k];
		schema.retype(a.object, a.field, change);
		break;
	}
	case 'set_options': needSchema(); schema.setOptions(a.object, a.field, a.options); break;
	case 'add_required': needSchema(); schema.require(a.object, a.field, a.from); break;
	case 'add_field': needSchema(); schema.add(a.object, typeof a.field === 'string' ? { name: a.field, type: 'string', ...a.def } : a.field); break;
	case 'expire_tokens': tokens.expireAll(); break;
	case 'revoke_tokens': tokens.revokeAll(); break;
	case 'restore_tokens': tokens.restore(); break;
	case 'down': await dialect.endpoint.down(a.how || 'refuse', a.for_ms); break;
	case 'up': await dialect.endpoint.up(); break;
	default: throw new ControlError(`unknown action "${a.action}"`);
	}
	if (schema && dialect.schemaChanged) dialect.schemaChanged(a);
}
module.exports = { applyWorld };
