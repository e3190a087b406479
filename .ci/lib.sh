# What the lanes share; sourced by .ci/run and by every lane.
#   $CI_TOP    this clone             $CI_OUT  logs and scratch folders of this run
#   $CI_CACHE  what later runs reuse (roots of other PostgreSQL versions, packages)
set -u
CI_TOP=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
CI_OUT=${CI_OUT:-$CI_TOP/build/ci}
if [ -z "${CI_CACHE:-}" ]; then
	CI_CACHE=${XDG_CACHE_HOME:+$XDG_CACHE_HOME/callsync-ci}
	[ -n "$CI_CACHE" ] || { [ "$(id -u)" = 0 ] && CI_CACHE=/var/cache/callsync-ci; }
	[ -n "$CI_CACHE" ] || CI_CACHE=$HOME/.cache/callsync-ci
fi
CI_STRICT="-Werror -DUSE_ASSERT_CHECKING"
export CI_TOP CI_OUT CI_CACHE PGROOT_CACHE="$CI_CACHE/packages"
export PROVE_FLAGS=${PROVE_FLAGS:--v}

# A lane that cannot run here says why and ends with this; the runner counts it as skipped.
skip() { echo "SKIPPED: $*"; exit 77; }

# For checks that have no runner of their own: "check TEXT COMMAND..." counts, "checked NAME"
# prints the count and ends the lane.
check_passed=0 check_failed=0
check()
{
	local what=$1
	shift
	if "$@"; then
		check_passed=$((check_passed + 1))
		echo "  ok: $what"
	else
		check_failed=$((check_failed + 1))
		echo "  FAILED: $what"
	fi
}
checked()
{
	echo "$1: $check_passed passed, $check_failed failed"
	[ $check_failed = 0 ] && [ $check_passed -gt 0 ]
	exit
}

git_top() { git -c safe.directory='*' -C "$CI_TOP" "$@"; }

# copy_tree FOLDER: what is in this clone (edits too, build products not) as FOLDER/callsync,
# with ../shared beside it where this clone has it.
copy_tree()
{
	mkdir -p "$1/callsync" && chmod 755 "$1"
	if git_top rev-parse HEAD > /dev/null 2>&1; then
		(cd "$CI_TOP" && git_top ls-files -z -co --exclude-standard | while IFS= read -r -d '' f; do
			[ ! -e "$f" ] && [ ! -L "$f" ] || printf '%s\0' "$f"
		done | tar --null -T - -c) | tar -x --no-same-owner -C "$1/callsync"
	else
		tar -C "$CI_TOP" --exclude=./build --exclude=./tmp_install --exclude=./tmp_check --exclude='*.o' --exclude='*.d' \
			--exclude='*.so' --exclude='*.bc' -c . | tar -x --no-same-owner -C "$1/callsync"
	fi
	[ ! -d "$CI_TOP/../shared" ] || ln -sfn "$(cd "$CI_TOP/../shared" && pwd)" "$1/shared"
}

# pg_root MAJOR: prints the folder of a root with that PostgreSQL, made on first use and again
# after two weeks. Fails where none can be had.
pg_root()
{
	local major=$1 packages key root suite suites
	[ "$(id -u)" = 0 ] || { echo "roots of other PostgreSQL versions need root" >&2; return 1; }
	unshare --mount --pid --fork true 2> /dev/null || { echo "no namespaces here" >&2; return 1; }
	packages="gcc libc6-dev make libcurl4-openssl-dev libjansson-dev libssl-dev libipc-run-perl nodejs openssl
		libasan8 libubsan1 postgresql-$major postgresql-server-dev-$major"
	key=$(cat "$CI_TOP/.ci/pgroot.py" - <<< "$packages" | sha256sum | cut -c1-12)
	root=$CI_CACHE/roots/$major-$key
	mkdir -p "$CI_CACHE/roots"
	(
		flock 9
		[ -d "$root" ] && [ -n "$(find "$root" -maxdepth 0 -mtime -14)" ] && exit 0
		case $major in
			17) suites=trixie ;;
			18) suites="forky sid" ;;
			19) suites=experimental ;;
			*) exit 1 ;;
		esac
		for suite in $suites; do
			rm -rf "$root.new"
			mkdir -p "$root.new"
			# shellcheck disable=SC2086 # a list of names
			if "$CI_TOP/.ci/pgroot.py" "$suite" "$root.new" $packages >&2; then
				[ ! -d "$root" ] || mv "$root" "$root.old"
				mv "$root.new" "$root"
				rm -rf "$root.old"
				# roots of earlier contents
				find "$CI_CACHE/roots" -maxdepth 1 -name "$major-*" ! -path "$root" -mtime +2 -exec rm -rf {} +
				touch "$root"
				exit 0
			fi
		done
		rm -rf "$root.new"
		[ -d "$root" ]
	) 9> "$CI_CACHE/roots/$major.lock" || return 1
	echo "$root"
}

# TAP tests in which the server's version plays a part, for the lanes of other versions. The others
# are about what a CRM answers, and take most of the time: lane 10-test has them.
server_tap()
{
	local t f
	for t in 015 020 021 022 023 025 026 027 029 030 040 090 130 131 200 205 206 210 221_retention 222_holes 223 225_wakeups 227_disk; do
		for f in "$CI_TOP/test/t/$t"*.pl; do
			[ ! -e "$f" ] || printf 'test/t/%s ' "${f##*/}"
		done
	done
}

# in_pg_root MAJOR LANE COMMAND: a copy of the tree inside that root, COMMAND run in it as a
# plain user, with no network but loopback.
in_pg_root()
{
	local root work=$CI_OUT/$2.tree shared=()
	root=$(pg_root "$1") || skip "no root with PostgreSQL $1 can be had"
	rm -rf "$work"
	copy_tree "$work"
	rm -f "$work/shared"
	[ ! -d "$CI_TOP/../shared" ] || shared=(-b "$(cd "$CI_TOP/../shared" && pwd):/home/pg/build/shared")
	chown -R 1234:1234 "$work"
	"$CI_TOP/.ci/inroot" -n -u pg -w "$work:/home/pg/build" "${shared[@]}" "$root" \
		"export CI=true PROVE_FLAGS='$PROVE_FLAGS'; cd build/callsync && $3"
}
