/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Who uses a device that recovers, and who looks on: netlink, sysfs, the tracepoint. */
#ifndef SELFTESTS_RECOVERY_H
#define SELFTESTS_RECOVERY_H

#include <linux/accelerator_netlink.h>
#include <sys/stat.h>

#include "genl.h"
#include "hotplug.h"

#define RECOVERY_FILES	4
#define RECOVERY_JOBS	100	/* of the first file, 100 ms each; the others have one */
#define RECOVERY_EDU	0xed	/* in the low byte of register 0 */

#define RECOVERY_TRACE	"/sys/kernel/tracing/instances/recovery"

static struct recovery_user {
	int fd;
	volatile uint32_t *map;
	unsigned char *page, copy[PAGE];
	uint64_t mem;
	uint64_t jobs[RECOVERY_JOBS];
	int num_jobs;
} recovery_users[RECOVERY_FILES];

static struct dev_info recovery_dev;
static struct genl recovery_genl;
static int recovery_sysfs_saw;	/* how often sysfs said "resetting" */

/* ---- who looks on ---- */

static inline void *recovery_watch(void *arg)
{
	char path[128], state[32];
	struct pollfd p = { .events = POLLPRI };

	(void)arg;
	snprintf(path, sizeof(path), "/sys/class/accelerator/%.31s/state", recovery_dev.name);
	p.fd = open(path, O_RDONLY | O_CLOEXEC);
	for (;;) {
		ssize_t n = pread(p.fd, state, sizeof(state) - 1, 0);

		/* the device is gone, or the program ends */
		if (n <= 0)
			break;
		state[n] = '\0';
		if (!strcmp(state, "resetting\n"))
			__atomic_add_fetch(&recovery_sysfs_saw, 1, __ATOMIC_SEQ_CST);
		poll(&p, 1, -1);
	}
	close(p.fd);
	return NULL;
}

struct recovery_told {
	int count;
	uint32_t states[8];
};

static inline int recovery_take(uint8_t cmd, const struct nlmsghdr *nlh, void *arg)
{
	const struct nlattr *a[ACCEL_NL_A_DEV_MAX + 1];
	struct recovery_told *told = arg;

	if (cmd != ACCEL_NL_CMD_DEVICE_CHANGE_NTF || told->count == 8)
		return 0;
	genl_attrs(nlh, NULL, a, ACCEL_NL_A_DEV_MAX);
	told->states[told->count++] = genl_uint(a[ACCEL_NL_A_DEV_STATE]);
	return 0;
}

/* recovery_told() - wait for two notifications: RESETTING, then @last. NULL: so it was */
static inline const char *recovery_told(uint32_t last)
{
	struct pollfd p = { .fd = genl_fd(&recovery_genl), .events = POLLIN };
	struct recovery_told told = { 0 };

	while (told.count < 2) {
		if (poll(&p, 1, QMP_LIMIT_S * 1000) != 1)
			return "no notification of a change";
		if (genl_receive(&recovery_genl, recovery_take, &told))
			return "receiving notifications";
	}
	if (told.count > 2)
		return "more notifications than changes";
	if (told.states[0] != ACCELERATOR_STATE_RESETTING || told.states[1] != last)
		return "notifications of other states";
	return NULL;
}

/* recovery_traced() - how many times the tracepoint told of a change from @from to @to */
static inline int recovery_traced(int from, int to)
{
	char line[256], want[64];
	FILE *f = fopen(RECOVERY_TRACE "/trace", "re");
	int n = 0;

	snprintf(want, sizeof(want), "old_state=%d new_state=%d\n", from, to);
	while (f && fgets(line, sizeof(line), f))
		n += strstr(line, "accel_device_state:") && strstr(line, want);
	if (f)
		fclose(f);
	return n;
}

/* ---- who uses it ---- */

static inline void recovery_init(void)
{
	pthread_t thread;
	int ret;

	hotplug_init();
	if (hotplug_find(0, &recovery_dev))
		tap_bail("no edu behind port 0");
	ret = genl_open(&recovery_genl, ACCELERATOR_FAMILY_NAME);
	if (ret || genl_subscribe(&recovery_genl, ACCELERATOR_MCGRP_DEVICES))
		tap_bail("no notifications: %s", recovery_genl.error);
	mkdir(RECOVERY_TRACE, 0700);
	storm_write(RECOVERY_TRACE "/events/accel/accel_device_state/enable", "1");
	if (pthread_create(&thread, NULL, recovery_watch, NULL))
		tap_bail("no thread");
	pthread_detach(thread);
}

/* The device's state as sysfs has it; "": it is not there */
static inline void recovery_state(char state[32])
{
	char path[128];
	FILE *f;

	state[0] = '\0';
	snprintf(path, sizeof(path), "/sys/class/accelerator/%.31s/state", recovery_dev.name);
	f = fopen(path, "re");
	if (f && fscanf(f, "%31s", state) != 1)
		state[0] = '\0';
	if (f)
		fclose(f);
}

static inline void recovery_enter(void)
{
	for (int i = 0; i < RECOVERY_FILES; i++) {
		struct recovery_user *u = &recovery_users[i];

		if (!u->page)
			u->page = mmap(NULL, PAGE, PROT_READ | PROT_WRITE,
				       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		u->fd = dev_open(recovery_dev.name);
		u->map = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, u->fd, 0);
		if (u->fd < 0 || u->page == MAP_FAILED || u->map == MAP_FAILED ||
		    dev_pin(u->fd, u->page, PAGE, ACCEL_MEM_READ | ACCEL_MEM_WRITE, &u->mem))
			tap_bail("open, map or pin: %s", strerror(errno));
	}
}

static inline void recovery_leave(void)
{
	for (int i = 0; i < RECOVERY_FILES; i++) {
		munmap((void *)recovery_users[i].map, PAGE);
		close(recovery_users[i].fd);
	}
}

static inline int recovery_submit(struct recovery_user *u, uint32_t op, uint64_t *job)
{
	struct accel_edu_dma dma = {
		.mem_id = u->mem, .length = ACCEL_EDU_BUFFER_SIZE, .op = op,
	};
	int ret = dev_ioctl(u->fd, ACCEL_EDU_IOCTL_DMA, &dma);

	*job = dma.job_id;
	return ret;
}

static inline int recovery_dma(struct recovery_user *u, uint32_t op)
{
	struct accel_job_wait wait;
	uint64_t job;
	int ret = recovery_submit(u, op, &job);

	if (!ret)
		ret = dev_wait(u->fd, job, &wait);
	return ret ? ret : wait.status;
}

/* A file moves its page to the device and back; NULL: what came back is what went. */
static inline const char *recovery_user_works(struct recovery_user *u, unsigned char seed)
{
	for (unsigned int i = 0; i < ACCEL_EDU_BUFFER_SIZE; i++)
		u->page[i] = seed + i * 7;
	if (recovery_dma(u, ACCEL_EDU_OP_TO_DEVICE))
		return "a DMA to the device fails";
	memset(u->page, 0, PAGE);
	if (recovery_dma(u, ACCEL_EDU_OP_FROM_DEVICE))
		return "a DMA from the device fails";
	for (unsigned int i = 0; i < ACCEL_EDU_BUFFER_SIZE; i++)
		if (u->page[i] != (unsigned char)(seed + i * 7))
			return "the data that came back is not what went";
	if ((u->map[0] & 0xff) != RECOVERY_EDU)
		return "the mapping does not show the registers";
	return NULL;
}

/* recovery_busy() - give each file jobs that write to its page, until the first runs */
static inline int recovery_busy(void)
{
	for (int i = 0; i < RECOVERY_FILES; i++) {
		struct recovery_user *u = &recovery_users[i];

		memset(u->page, ~u->page[0], PAGE);
		for (u->num_jobs = 0; u->num_jobs < (i ? 1 : RECOVERY_JOBS); u->num_jobs++) {
			int ret = recovery_submit(u, ACCEL_EDU_OP_FROM_DEVICE,
						  &u->jobs[u->num_jobs]);

			if (ret)
				return ret;
		}
	}
	while (dev_attr(recovery_dev.name, "engines/edu/running") != 1)
		usleep(1000);
	return 0;
}

/*
 * recovery_ended() - wait for all jobs; NULL: some first ended well, all others with EIO
 * @also: another error that will do: what the driver itself may see first; 0: none
 *
 * Each page is copied when the first job that writes to it has failed.
 */
static inline const char *recovery_ended(int also)
{
	int failed = 0;

	for (int i = 0; i < RECOVERY_FILES; i++) {
		struct recovery_user *u = &recovery_users[i];
		int copied = 0;

		for (int k = 0; k < u->num_jobs; k++) {
			struct accel_job_wait wait;

			if (dev_wait(u->fd, u->jobs[k], &wait))
				return "a job cannot be waited for";
			if (wait.status != (failed ? -EIO : 0) && wait.status != -EIO &&
			    (!also || wait.status != also))
				return "a job ended with another error than EIO";
			if (wait.status && !copied++)
				memcpy(u->copy, u->page, PAGE);
			failed += wait.status != 0;
		}
	}
	return failed > 1 ? NULL : "no job was in flight";
}

/* recovery_unwritten() - NULL: no page has changed since its jobs failed */
static inline const char *recovery_unwritten(void)
{
	for (int i = 0; i < RECOVERY_FILES; i++)
		if (memcmp(recovery_users[i].page, recovery_users[i].copy, PAGE))
			return "the device wrote to memory of a job that had ended";
	return NULL;
}

/* recovery_inject() - the root port reports an error of its link */
static inline int recovery_inject(const char *error)
{
	char line[64], said[256];
	int ret;

	snprintf(line, sizeof(line), "pcie_aer_inject_error rp0 %s", error);
	ret = qmp_hmp(&hotplug_qmp, line, said, sizeof(said));
	if (!ret && strncmp(said, "OK", 2))
		ret = -EREMOTEIO;
	if (ret)
		tap_diag("%s: %s", line, said);
	return ret;
}

#endif
