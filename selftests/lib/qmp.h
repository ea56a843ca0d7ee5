/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * QEMU's monitor, from inside the test machine: selftests/vm gives the guest a
 * virtio-serial port that speaks QMP. For tests that take hardware away and break it.
 */
#ifndef SELFTESTS_QMP_H
#define SELFTESTS_QMP_H

#include <stddef.h>

#define QMP_PORT_NAME	"accel-qmp"	/* as in selftests/vm/proto.h */
#define QMP_LIMIT_S	120		/* for each answer and event: the host may be slow */

struct qmp {
	int fd;
	unsigned long long id;		/* of the last command */
	size_t fill;
	char buf[65536];
	char deleted[16][32];		/* DEVICE_DELETED, not yet asked for */
};

/* qmp_open() - 0; -ENODEV: this machine has no such port; -EBUSY: somebody has it open */
int qmp_open(struct qmp *q);
void qmp_close(struct qmp *q);

/*
 * qmp_command() - run @execute with @arguments (JSON, or NULL); 0, or -EREMOTEIO when
 * QEMU refuses, -ETIMEDOUT. @text gets a returned string, or the error's; may be NULL.
 */
int qmp_command(struct qmp *q, const char *execute, const char *arguments, char *text,
		size_t size);

/* qmp_hmp() - run a line of the human monitor; @text gets what it prints */
int qmp_hmp(struct qmp *q, const char *line, char *text, size_t size);

/* qmp_deleted() - wait until device @id is gone from the machine; 0 or -ETIMEDOUT */
int qmp_deleted(struct qmp *q, const char *id);

#endif
