/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef ACCELCTL_POLICY_LIST_H
#define ACCELCTL_POLICY_LIST_H

struct settings;

/* policy_show() - all policies, or all about @name */
int policy_show(const struct settings *set, const char *name);

#endif /* ACCELCTL_POLICY_LIST_H */
