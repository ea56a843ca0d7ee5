// SPDX-License-Identifier: GPL-2.0-only
/* May we load policies; and what libbpf said, where we could not. */
#include "bpf_util.h"

/* accelctl.h and bpf_util.h name the same exit codes. */
int policy_may_load(void);
int policy_libbpf_said(const char *what, int err);

int policy_may_load(void)
{
	return bpf_util_begin("accelctl", false);
}

int policy_libbpf_said(const char *what, int err)
{
	return bpf_util_explain(what, err);
}
