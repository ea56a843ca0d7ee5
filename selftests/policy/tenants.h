/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Two tenants, each a process in a cgroup of its own, that do as they are told. */
#ifndef SELFTESTS_TENANTS_H
#define SELFTESTS_TENANTS_H

#include "policy.h"

/* A line of accelctl, which has to succeed. */
__attribute__((unused, format(printf, 1, 2)))
static void accelctl(const char *format, ...)
{
	char words[512], out[4096];
	va_list args;
	int code;

	va_start(args, format);
	vsnprintf(words, sizeof(words), format, args);
	va_end(args);
	code = run(out, sizeof(out), "accelctl policy %s", words);
	tap_ok(!code, "accelctl policy %s%s%s", words, code ? ": " : "", code ? out : "");
}

/* One that has to fail, with these words. */
__attribute__((unused))
static void accelctl_fails(const char *words, int want, const char *text)
{
	char out[4096];
	int code = run(out, sizeof(out), "accelctl policy %s", words);

	tap_is(code, want, "accelctl policy %s: exit code", words);
	out[strcspn(out, "\n")] = '\0';
	tap_ok(strstr(out, text), "  it says: %s", out);
}

/* A process in @cgroup that runs @main; its pid. */
__attribute__((unused))
static pid_t tenant(const char *cgroup, void (*main)(void *arg), void *arg)
{
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (pid)
		return pid;
	enter_cgroup(cgroup);
	main(arg);
	_exit(0);
}

/* Wait for it; its exit code. */
__attribute__((unused))
static int tenant_end(pid_t pid)
{
	int status;

	if (waitpid(pid, &status, 0) != pid)
		return -1;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/* Memory that parent and children see. */
__attribute__((unused))
static void *shared(size_t size)
{
	void *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED)
		tap_bail("mmap");
	return p;
}

#endif
