/* SPDX-License-Identifier: GPL-2.0-only */
/* The texts that an option table makes; opts.c calls them. */
#ifndef TOOLS_LIB_OPTS_HELP_H
#define TOOLS_LIB_OPTS_HELP_H

#include "opts.h"

void opts_help(const struct opts_spec *spec);			/* --help */
void opts_help_man(const struct opts_spec *spec);		/* scdoc, for the man page */
void opts_help_completion(const struct opts_spec *spec);	/* bash */

#endif /* TOOLS_LIB_OPTS_HELP_H */
