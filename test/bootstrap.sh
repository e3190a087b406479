#!/bin/sh
# bootstrap.sh TARGET [PG_CONFIG]
# Makes sure that everything TARGET (test, demo, bench, unit) needs is on this machine and
# installs what is missing, with apt, as root or through sudo. Where nothing is missing it
# needs neither, nor the network, and prints nothing.
#
# A fresh PostgreSQL package would create and start a server of its own ("main"); ours are
# throw-away servers, so that is switched off for the time of the installation.
set -eu
target=$1 pg_config=${2:-pg_config}

say() { echo "bootstrap: $*" >&2; }

# Fills $missing with package names. "@" stands for the PostgreSQL major version.
look()
{
	missing=
	need() { missing="$missing $*"; }

	if command -v cc > /dev/null || command -v gcc > /dev/null; then
		cc=$(command -v cc || command -v gcc)
		if ! printf '#include <stdio.h>\n#include <curl/curl.h>\n#include <jansson.h>\n#include <openssl/evp.h>\n' |
			"$cc" -E - > /dev/null 2>&1; then
			has() { echo "#include <$1>" | "$cc" -E - > /dev/null 2>&1; }
			has stdio.h || need libc6-dev
			has curl/curl.h || need libcurl4-openssl-dev
			has jansson.h || need libjansson-dev
			has openssl/evp.h || need libssl-dev
		fi
	else
		need gcc libc6-dev libcurl4-openssl-dev libjansson-dev libssl-dev
	fi
	[ "$target" = unit ] && return

	# On Debian /usr/bin/pg_config comes with libpq, and pgxs.mk with the client: only the headers
	# tell that the server's development files are there
	headers=$("$pg_config" --includedir-server 2> /dev/null || :)
	pgxs=$("$pg_config" --pgxs 2> /dev/null || :)
	server=$("$pg_config" --bindir 2> /dev/null || :)
	share=$("$pg_config" --sharedir 2> /dev/null || :)
	[ -n "$pgxs" ] && [ -f "$pgxs" ] && [ -f "$headers/postgres.h" ] || need postgresql-server-dev-@
	[ -n "$server" ] && [ -x "$server/initdb" ] && [ -f "$share/extension/pgcrypto.control" ] || need postgresql-@

	# prove comes with perl proper, not with the perl-base that every Debian has
	command -v prove > /dev/null || need perl
	perl -MIPC::Run -MTest::More -e 1 2> /dev/null || need libipc-run-perl
	command -v node > /dev/null || need nodejs
	command -v openssl > /dev/null || need openssl
}

# The PostgreSQL major version to install: the one that PG_CONFIG names, else the distribution's.
major()
{
	case $pg_config in
		*/postgresql/[1-9][0-9]/bin/pg_config)
			m=${pg_config%/bin/pg_config}
			echo "${m##*/}"
			return ;;
		*/*)
			say "$pg_config is no server's pg_config, or its server lacks initdb or pgcrypto"
			return 1 ;;
	esac
	# with the server's development files there, the server of the same version
	v=$([ -f "$("$pg_config" --pgxs 2> /dev/null)" ] && "$pg_config" --version || :)
	v=$(expr "$v" : '[^0-9]*\([0-9]*\)' || :)
	[ -n "$v" ] || v=$(apt-cache show postgresql | sed -n 's/^Depends:.*postgresql-\([0-9][0-9]*\).*/\1/p' | head -n 1)
	[ -n "$v" ] || { say "this distribution has no package postgresql"; return 1; }
	echo "$v"
}

# As root: install the packages named.
install()
{
	DEBIAN_FRONTEND=noninteractive
	export DEBIAN_FRONTEND
	apt="apt-get -q -y -o DPkg::Lock::Timeout=600 -o Acquire::Retries=3"
	$apt update || say "apt-get update failed; going on with the lists that are there"
	case " $* " in
		*@*)
			m=$(major) || exit 1
			# shellcheck disable=SC2046 # package names
			set -- $(echo "$*" | sed "s/@/$m/g") ;;
	esac

	dir=/etc/postgresql-common/createcluster.d
	conf=$dir/zz-callsync-bootstrap.conf
	undo() { rm -f "$conf"; rmdir "$dir" /etc/postgresql-common 2> /dev/null || :; }
	trap undo EXIT
	trap 'exit 1' HUP INT TERM
	mkdir -p "$dir"
	echo "create_main_cluster = false" > "$conf"
	$apt install --no-install-recommends "$@"
}

if [ "$target" = --install ]; then
	shift 2
	install "$@" < /dev/null
	exit
fi

look
[ -n "$missing" ] || exit 0
say "make $target needs$missing"
if ! command -v apt-get > /dev/null; then
	say "this machine has no apt-get: install the equivalents of these packages, then run make $target again"
	exit 1
fi
if [ "$(id -u)" = 0 ]; then
	sh "$0" --install "$pg_config" $missing >&2
elif command -v sudo > /dev/null && { sudo -n true 2> /dev/null || [ -t 0 ]; }; then
	sudo sh "$0" --install "$pg_config" $missing >&2
else
	say "not root, and sudo cannot be used here: let an administrator run"
	say "    sh $0 --install '$pg_config'$missing"
	exit 1
fi
look
[ -z "$missing" ] || { say "still missing after the installation:$missing"; exit 1; }
