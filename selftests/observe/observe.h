/* SPDX-License-Identifier: GPL-2.0-only */
/* What the tests of "accelctl observe" and its readers share. */
#ifndef SELFTESTS_OBSERVE_H
#define SELFTESTS_OBSERVE_H

#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "device.h"
#include "json_read.h"
#include "tap.h"

#define PINS	"/sys/fs/bpf/accelerator"
#define PARTIAL	"/sys/fs/bpf/accelerator-partial"

/* Its exit code; what it wrote is in /tmp/said. */
__attribute__((unused))
static int shell(const char *command)
{
	char line[512];
	int status;

	snprintf(line, sizeof(line), "(%s) >/tmp/said 2>&1", command);
	fflush(stdout);
	status = system(line);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

__attribute__((unused))
static bool said(const char *text)
{
	static char buf[65536];
	FILE *f = fopen("/tmp/said", "r");
	size_t n = f ? fread(buf, 1, sizeof(buf) - 1, f) : 0;

	buf[n] = 0;
	if (f)
		fclose(f);
	return strstr(buf, text);
}

#endif
