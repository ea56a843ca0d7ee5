/* SPDX-License-Identifier: GPL-2.0-only */
/* The command lines of contexts' processes, each read once. */
#ifndef ACCEL_TOP_COMMANDS_H
#define ACCEL_TOP_COMMANDS_H

#include <stdint.h>

struct commands;

struct commands *commands_new(void);
void commands_free(struct commands *c);

/*
 * What process @pid was started with, if it is still what opened context @ctx_id:
 * its name is @comm. Else @comm. Good until commands_sweep().
 */
const char *commands_get(struct commands *c, uint64_t ctx_id, uint32_t pid, const char *comm);

/* Forgets the contexts that were not asked for since the last sweep. */
void commands_sweep(struct commands *c);

#endif
