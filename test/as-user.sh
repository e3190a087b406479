#!/bin/sh
# as-user.sh TMP_INSTALL TMP_CHECK COMMAND...
# Runs COMMAND as an ordinary user, because initdb and postgres refuse uid 0. A plain user
# runs it directly. For root there are several ways and no machine allows all of them
# (chroots and hardened kernels refuse user namespaces, a clone in /root is closed to
# other users, a container may lack capabilities), so each is tried on the real folders:
#   1. the owner of this clone, if that is not root      (the files stay theirs)
#   2. the user nobody
#   3. a user namespace that shows root as an ordinary user (files keep their owner)
#   4. nobody, who may pass closed folders (one capability; the secure bit keeps it
#      in access(), by which PostgreSQL's programs find each other)
set -eu
ti=$1 tc=$2
shift 2
[ "$(id -u)" != 0 ] && exec "$@"
top=$(cd "$(dirname "$0")/.." && pwd)

# What the command will need: a user with a name, the sources, the copied server, a place to write.
probe='[ "$(id -u)" != 0 ] && id -un && cd "$1" && [ -r callsync.control ] && [ -r test/sql ] && [ -x test/sql ] &&
	d=$(mktemp -d "$2/probe.XXXXXX") && rmdir "$d" &&
	for p in $(find "$3" -path "*/bin/pg_config"); do "$p" --bindir || exit 1; done'
may()
{
	"$@" sh -c "$probe" probe "$top" "$tc" "$ti" > /dev/null 2>&1
}

as_nobody='setpriv --reuid=nobody --regid=nogroup --clear-groups'
namespace='unshare --user --map-user=1 --map-group=1 --'
mkdir -p "$ti" "$tc"
# shellcheck disable=SC2086 # the words of a way are meant to be split
run_as()
{
	owner=$1 way=$2
	shift 2
	chown -Rh "$owner" "$ti" "$tc"
	may $way || return 0
	# the caller's home and temporary folder may be closed to this user
	export HOME="$tc"
	$way test -w "${TMPDIR:-/tmp}" || unset TMPDIR
	exec $way "$@"
}

uid=$(stat -c %u "$top") gid=$(stat -c %g "$top")
[ "$uid" = 0 ] || run_as "$uid:$gid" "setpriv --reuid=$uid --regid=$gid --clear-groups" "$@"
run_as nobody:nogroup "$as_nobody" "$@"
run_as 0:0 "$namespace" "$@"
for cap in dac_read_search dac_override; do
	run_as nobody:nogroup "$as_nobody --securebits=+no_setuid_fixup --inh-caps=-all,+$cap --ambient-caps=-all,+$cap" "$@"
done
echo "as-user.sh: found no way to run the server as an ordinary user: run make as one" >&2
exit 1
