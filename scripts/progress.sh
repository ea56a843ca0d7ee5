# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
# Sourced by the set-up scripts: no silent minute.

say() { echo "  SETUP   $*"; }

# LOG WHAT COMMAND...: run it with its output in LOG; say every few seconds how
# far it is, by the last line of LOG
with_progress()
{
	local log=$1 what=$2 pid seconds=0 status=0

	shift 2
	"$@" >"$log" 2>&1 </dev/null &
	pid=$!
	while kill -0 "$pid" 2>/dev/null; do
		sleep 0.2 & wait $! || true
		seconds=$((seconds + 1))
		((seconds % 25)) || ! kill -0 "$pid" 2>/dev/null ||
			say "$what, $((seconds / 5)) s: $(tail -n 1 "$log" | tr -d '\r' | sed -E 's#[a-z]+://[^ ]*/##g' | cut -c1-60)"
	done
	wait "$pid" || status=$?
	return $status
}
