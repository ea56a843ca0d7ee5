/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What a test and the policy that it attaches (probe.bpf.c) share. */
#ifndef PROBE_H
#define PROBE_H

enum probe_hook {
	PROBE_OPEN, PROBE_IOCTL, PROBE_MMAP, PROBE_MEM_PIN, PROBE_DMA_MAP, PROBE_JOB_SUBMIT,
	PROBE_JOB_START, PROBE_CONTEXT_CLOSE, PROBE_MEM_UNPIN, PROBE_MEM_UNPINNED /* none */,
	PROBE_JOB_DONE, PROBE_HOOKS
};

struct probe {
	int answer[PROBE_HOOKS];		/* what each hook is to say */
	unsigned int only_cmd;			/* not 0: of ioctls, to this one only */
	unsigned int tgid;			/* not 0: look at files of this process only */
	unsigned long long calls[PROBE_HOOKS];
	unsigned long long refused[PROBE_HOOKS];
	unsigned long long allowed[PROBE_HOOKS];
	unsigned long long last_id[PROBE_HOOKS];	/* of the context, region or job */
	unsigned long long last_bytes;
	unsigned long long last_arg;		/* first word of the last ioctl's argument */
	int last_status;
	unsigned int last_state;
	unsigned long long order;		/* value of the clock below at the last ioctl */
};

#endif
