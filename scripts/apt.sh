# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
# Sourced by the set-up scripts, after progress.sh: what they ask of apt.

# PACKAGE: the version that apt would install
candidate() { apt-cache policy "$1" | sed -n 's/^  Candidate: //p'; }

# PACKAGE VERSION: can it be had? Not grep -q: it leaves at the first match, and whoever
# still writes to it then fails, as does the pipeline.
apt_has() { apt-cache madison "$1" 2>/dev/null | grep -F " $2 " >/dev/null; }

# A machine that has just started may be at it itself; apt does not wait for that.
apt_update()
{
	local log tries=0

	say "apt-get update"
	log=$(mktemp)
	until with_progress "$log" "apt-get update" apt-get -q update; do
		if ((tries++ < 60)) && grep 'Could not get lock' "$log" >/dev/null; then
			sleep 5
			continue
		fi
		cat "$log" >&2
		rm -f "$log"
		die "apt-get update failed; mend apt's sources or the network, then run: make setup"
	done
	rm -f "$log"
}
