/* SPDX-License-Identifier: GPL-2.0-only */
/* What is done while something fails. */
#ifndef FAILNTH_SCENE_H
#define FAILNTH_SCENE_H

#include <stdbool.h>

#include "device.h"

/*
 * One thing that users do. @prepare and @undo run without injection, and have to
 * succeed; @run answers 0 or the first -errno and leaves what it could not undo to
 * @undo. All three get @arg.
 */
struct scene {
	const char *name;
	const void *arg;
	void (*prepare)(const void *arg);
	int (*run)(const void *arg);
	void (*undo)(const void *arg);
	int also[4];		/* errnos beside ENOMEM and EFAULT, where the kernel says so */
	bool undo_retries;	/* @undo is the next try: another one takes too long */
	long (*left)(void);	/* what else has to be as before; NULL: nothing */
};

/* scene_sweep() - fail each chance to fail of @s in turn; one test point */
void scene_sweep(const struct scene *s);

/* scene_listen() - the tracepoints that have times: the core takes other paths with them */
void scene_listen(bool on);

/* A policy is attached from the one to the other; it has to be asked by then. */
void policy_hold(void);
void policy_let_go(void);

/* Each file's scenes; tap_bail() is all of tap.h that they may use. */
void sweep_files(void);
void sweep_ioctls(void);
void sweep_memory(void);
void sweep_attach(void);
void sweep_pasid(void);
void sweep_netlink(void);
void sweep_soft_binding(void);
void sweep_edu_binding(void);
void sweep_edu_unbinding(long (*left)(void));
void sweep_policy(void);

#endif
