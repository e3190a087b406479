#!/bin/sh
# run-bench.sh REPORT AS-USER...
# Runs every bench/NAME/run (or those named in BENCH) as an ordinary user and joins what they
# print to REPORT, with what a figure needs to be compared: machine, versions, commit.
set -eu
report=$1
shift
{
	echo "# callsync $(sed -n "s/^default_version = '\(.*\)'/\1/p" callsync.control)," \
		"commit $(git rev-parse --short HEAD 2> /dev/null || echo unknown)"
	echo "# $(postgres --version), $(uname -srm), $(nproc) CPUs," \
		"$(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -n 1)," \
		"$(awk '/^MemTotal/ {printf "%.0f GB", $2 / 1048576}' /proc/meminfo)"
} > "$report"
cat "$report"
failed=
found=
for run in bench/*/run; do
	[ -x "$run" ] || continue
	name=${run#bench/}
	name=${name%/run}
	case " ${BENCH:-$name} " in *" $name "*) ;; *) continue ;; esac
	found=y
	printf '\n## %s\n' "$name" | tee -a "$report"
	mkdir -p "$BENCHDIR/$name"
	if BENCHDIR="$BENCHDIR/$name" "$@" "$run" > "$report.part" 2>&1; then
		:
	else
		echo "failed with exit code $?" >> "$report.part"
		failed="$failed $name"
	fi
	tee -a "$report" < "$report.part"
	rm -f "$report.part"
done
[ -n "$found" ] || { echo "no bench of that name"; exit 1; }
[ -z "$failed" ] || { echo "failed:$failed"; exit 1; }
