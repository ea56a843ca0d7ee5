/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SELFTESTS_VM_AGENT_H
#define SELFTESTS_VM_AGENT_H

#include <stddef.h>

/* The run's parameters, put there by selftests/vm/mkinitramfs. */
#define VM_DIR "/.vm"

void boot_mounts(void);
int boot_open_port(void);
/* Returns NULL, or what went wrong. */
const char *boot_modules(void);
void boot_device_nodes(void);

char *read_file(const char *path, size_t *len);
int write_file(const char *path, const char *text);

#endif
