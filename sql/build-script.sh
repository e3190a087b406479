#!/bin/sh
# build-script.sh PART.sql... -- DOCUMENT.json...
# Prints the install script: the numbered parts in order; the line "-- @connectors@"
# in a part is replaced by one statement per document of sql/connectors, the line
# "-- @presets@" by one per document of sql/presets.
set -eu
connectors=$(mktemp)
presets=$(mktemp)
trap 'rm -f "$connectors" "$presets"' EXIT
parts=
while [ $# -gt 0 ] && [ "$1" != -- ]; do parts="$parts $1"; shift; done
[ $# -gt 0 ] && shift
for f in "$@"; do
	if grep -q '\$document\$' "$f"; then echo "build-script.sh: $f contains the quoting tag" >&2; exit 1; fi
	case $f in
		*/presets/*) register=register_builtin_source_kind out=$presets ;;
		*) register=register_builtin_connector out=$connectors ;;
	esac
	{ printf 'SELECT callsync.%s($document$' "$register"; cat "$f"; printf '$document$::pg_catalog.jsonb);\n'; } >> "$out"
done
for p in $parts; do
	sed -e "/^-- @connectors@\$/{r $connectors
d
}" -e "/^-- @presets@\$/{r $presets
d
}" "$p"
	echo
done
