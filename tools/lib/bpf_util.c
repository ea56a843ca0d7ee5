// SPDX-License-Identifier: GPL-2.0-only
#include "bpf_util.h"

#include <errno.h>
#include <linux/membarrier.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <linux/capability.h>

#define MODULE_BTF	"/sys/kernel/btf/accelerator"

static const char *tool = "accelerator";

/* The end of what libbpf had to say; a failed verification ends with its reason. */
#define LOG_SIZE	65536

static char *log_text;
static size_t log_len;
static bool log_now;

int err_printf(const char *format, ...)
{
	va_list args;

	/* Both streams may go to one terminal: what came before is shown before. */
	fflush(stdout);
	fprintf(stderr, "%s: ", tool);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
	return EXIT_FAILED;
}

bool accel_subsystem_present(void)
{
	return !access("/sys/class/accelerator", F_OK);
}

bool accel_event_present(const char *event)
{
	static char *blob;
	static size_t len;
	char name[80];
	int n;

	if (!blob) {
		FILE *f = fopen(MODULE_BTF, "re");
		size_t got, size = 1 << 20;

		if (!f)
			return false;
		blob = malloc(size);
		while (blob && (got = fread(blob + len, 1, size - len, f)) > 0) {
			len += got;
			if (len == size) {
				char *more = realloc(blob, size *= 2);

				if (!more)
					break;
				blob = more;
			}
		}
		fclose(f);
		if (!blob)
			return false;
	}
	/* The string section holds every name between NUL bytes. */
	n = snprintf(name, sizeof(name), "%cbtf_trace_%s", 0, event);
	return memmem(blob, len, name, n + 1);
}

static int print(enum libbpf_print_level level, const char *format, va_list args)
{
	char text[4096];
	int len;

	if (log_now)
		return level == LIBBPF_DEBUG ? 0 : vfprintf(stderr, format, args);
	if (level == LIBBPF_DEBUG || !log_text)
		return 0;
	len = vsnprintf(text, sizeof(text), format, args);
	if (len <= 0)
		return 0;
	if (len >= (int)sizeof(text))
		len = sizeof(text) - 1;
	if (log_len + len >= LOG_SIZE) {
		size_t keep = LOG_SIZE / 2;

		if (log_len < keep)
			keep = log_len;
		memmove(log_text, log_text + log_len - keep, keep);
		log_len = keep;
	}
	memcpy(log_text + log_len, text, len);
	log_len += len;
	log_text[log_len] = 0;
	return len;
}

/* Effective capabilities; all of them when that cannot be found out. */
static uint64_t capabilities(void)
{
	unsigned long long caps = UINT64_MAX;
	char line[256];
	FILE *f = fopen("/proc/self/status", "re");

	if (!f)
		return caps;
	while (fgets(line, sizeof(line), f))
		if (sscanf(line, "CapEff: %llx", &caps) == 1)
			break;
	fclose(f);
	return caps;
}

static bool have_cap(int cap)
{
	return capabilities() >> cap & 1;
}

bool bpf_util_may_load(void)
{
	return have_cap(CAP_SYS_ADMIN);
}

int bpf_util_begin(const char *name, bool verbose)
{
	struct rlimit infinite = { RLIM_INFINITY, RLIM_INFINITY };

	tool = name;
	log_now = verbose;
	if (!log_text)
		log_text = calloc(1, LOG_SIZE);
	libbpf_set_print(print);

	if (!accel_subsystem_present()) {
		err_printf("no accelerator subsystem on this machine: modprobe accelerator");
		return EXIT_NO_DEVICE;
	}
	/* Module BTF can only be had with CAP_SYS_ADMIN (Linux 6.12). */
	if (!have_cap(CAP_SYS_ADMIN)) {
		err_printf("loading BPF programs for a module needs CAP_SYS_ADMIN, which this process does not have: run as root");
		return EXIT_NO_BPF;
	}
	if (access(MODULE_BTF, R_OK)) {
		err_printf("%s is missing: the accelerator module was built without BTF; install pahole (package dwarves) and build it anew",
			   MODULE_BTF);
		return EXIT_NO_BPF;
	}
	/* Kernels before 5.11 charge maps to it; failing is harmless on later ones. */
	setrlimit(RLIMIT_MEMLOCK, &infinite);
	return EXIT_OK;
}

/* The last @lines lines of what libbpf said. */
static const char *log_tail(int lines)
{
	const char *at = log_text + log_len;

	if (at > log_text && at[-1] == '\n')
		at--;
	while (at > log_text) {
		if (at[-1] == '\n' && !--lines)
			break;
		at--;
	}
	return at;
}

int bpf_util_explain(const char *what, int err)
{
	const char *next = "run with --verbose for all of libbpf's messages";

	if (log_text && log_len && !log_now) {
		fflush(stdout);
		fprintf(stderr, "%s", log_tail(12));
	}
	if (err == -EPERM || err == -EACCES) {
		if (!have_cap(CAP_BPF) || !have_cap(CAP_PERFMON) || !have_cap(CAP_SYS_ADMIN))
			next = "needs CAP_SYS_ADMIN (or root)";
		else if (strstr(log_text ? log_text : "", "R0"))
			next = "the kernel's verifier refused a program: please report the lines above";
		else
			next = "is the kernel locked down (see /sys/kernel/security/lockdown)?";
	} else if (err == -ESRCH || err == -ENOENT) {
		next = "the loaded accelerator module does not have what this tool was built for: update both together";
	} else if (err == -ENOMEM) {
		next = "no memory: try a smaller --buffer";
	}
	err_printf("cannot %s: %s; %s", what, strerror(err < 0 ? -err : err), next);
	return EXIT_NO_BPF;
}

uint64_t bpf_util_missed(int prog_fd)
{
	struct bpf_prog_info info = { 0 };
	__u32 len = sizeof(info);

	if (bpf_obj_get_info_by_fd(prog_fd, &info, &len))
		return 0;
	return info.recursion_misses;
}

void bpf_util_quiesce(void)
{
	/* Tracing programs run inside an RCU read section; this waits for one grace period. */
	if (syscall(__NR_membarrier, MEMBARRIER_CMD_GLOBAL, 0, 0))
		usleep(50000);
}
