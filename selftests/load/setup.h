/* SPDX-License-Identifier: GPL-2.0-only */
/* What is asked for, and what of the machine has to be as asked for. */
#ifndef LOAD_SETUP_H
#define LOAD_SETUP_H

#include "load.h"

struct options {
	bool json;
	uint64_t interval_ns;		/* 0: none */
	const char *wait_start;		/* file to read a line from, "-": stdin; NULL: no */
	bool speed;			/* of the soft devices, for the time of the load */
	uint64_t latency_ns, bandwidth;
	bool changed_speed;		/* to be undone */
	int made_cgroups[LOAD_MAX_TENANTS];	/* directories, from the last one up */
};

/* setup_options() - parse the command line: -1, or the code to exit with */
int setup_options(int argc, char **argv, struct config *cfg, struct options *options);

/* setup_machine() - cgroups and engines' speed; says on stderr what is wrong */
bool setup_machine(const struct config *cfg, struct options *options);
void setup_undo(const struct config *cfg, const struct options *options);

bool cgroup_enter(const char *name);

#endif
