# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
# Sourced by what uses the newest kernel that Debian has: apt for suites that this machine
# has not in its sources, with settings and lists of its own under the cache. apt's own
# settings stay as they are: this asks the same mirror for other suites, once a day.

# The newest that was seen to build. What comes after it changes what it likes, when it likes:
# that is to be known, and no fault of a commit that happens to be checked on that day.
newest_known=7.3

# by name: mirrors renew what "stable-backports" is another name for at another time
newest_suites=(trixie trixie-backports sid)

newest_none() { echo "${0##*/}: $*" >&2; exit 77; }

# TEXT: the first "7.3" in it
newest_series() { grep -oE -m1 '[0-9]+\.[0-9]+' <<<"$1" | head -n 1 || true; }

# TEXT: names a series that was seen to build
newest_is_known()
{
	[[ $(printf '%s\n' "$newest_known" "$(newest_series "$1")" | sort -V | tail -n 1) == "$newest_known" ]]
}

# PACKAGE: its newest version
newest_version() { apt-cache madison "$1" 2>/dev/null | awk -F' *[|] *' '{ print $2 }' | sort -V | tail -n 1; }

# From here on apt knows those suites, as of the last time
newest_apt_cached()
{
	# shellcheck disable=SC2154 # who sources this has it
	export APT_CONFIG=$cache/newest/apt/apt.conf
}

# The same, as of today. Exits 77, with the reason, when there is no mirror
newest_apt()
{
	# shellcheck disable=SC2154
	local apt=$cache/newest/apt suite tool mirror
	local keys=/usr/share/keyrings/debian-archive-keyring.gpg

	for tool in apt-get dpkg-deb; do
		command -v "$tool" >/dev/null || newest_none "no $tool here: only Debian's packages can be fetched"
	done
	mkdir -p "$apt/lists/partial" "$apt/archives/partial" "$cache/tmp"
	exec 8>"$cache/newest/.lock"
	flock 8
	# shellcheck disable=SC2016 # for apt to expand
	mirror=$(apt-get indextargets --format '$(REPO_URI) $(COMPONENT)' 'Created-By: Packages' 2>/dev/null |
		sed -n 's#^\([^ ]*/debian/\{0,1\}\) main$#\1#p' | head -n 1)
	[[ -n $mirror ]] || newest_none "apt's sources name no Debian mirror"
	for suite in "${newest_suites[@]}"; do
		echo "deb [signed-by=$keys] $mirror $suite main"
	done >"$apt/sources.list"
	: >"$apt/status"
	cat >"$apt/apt.conf" <<-END
	Dir::Etc::sourcelist "$apt/sources.list";
	Dir::Etc::sourceparts "/dev/null";
	Dir::Etc::preferences "/dev/null";
	Dir::Etc::preferencesparts "/dev/null";
	Dir::State "$apt";
	Dir::State::status "$apt/status";
	Dir::Cache "$apt";
	APT::Sandbox::User "$(id -un)";
	Acquire::Languages "none";
	END
	newest_apt_cached

	if [[ -z $(find "$apt/updated" -mtime -1 2>/dev/null) ]]; then
		if apt-get -qq update >"$apt/log" 2>&1 && ! grep -q '^[EW]:' "$apt/log"; then
			touch "$apt/updated"
		elif [[ ! -e $apt/updated ]]; then
			newest_none "the mirror does not answer: $(grep -m1 '^[EW]:' "$apt/log" || tail -n1 "$apt/log")"
		fi
	fi
	exec 8>&-
}
