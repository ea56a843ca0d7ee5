// SPDX-License-Identifier: GPL-2.0-only
/*
 * forge DEVICE COMMAND: open DEVICE with names that say more than a name should, of the
 * process and of a file that it fails to pin, and run COMMAND, with the open file as $FD.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "device.h"

#define FORGED	"x\naccel-state:\tok \\\x1b[2J\ndrm-client-id:\t1"

int main(int argc, char **argv)
{
	char number[16];
	int fd, file;
	void *p;

	if (argc != 3)
		return 2;
	prctl(PR_SET_NAME, "\naccel-state: ok");
	fd = dev_open(argv[1]);
	/* a page behind the end of its file */
	file = memfd_create(FORGED, MFD_CLOEXEC);
	p = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
	if (fd < 0 || p == MAP_FAILED || dev_pin(fd, p, 4096, ACCEL_MEM_READ, NULL) != -EFAULT) {
		fprintf(stderr, "forge: cannot open %s, or a pin is not refused\n", argv[1]);
		return 1;
	}
	fd = dup(fd);	/* for the command as well */
	snprintf(number, sizeof(number), "%d", fd);
	setenv("FD", number, 1);
	execl("/bin/sh", "sh", "-c", argv[2], NULL);
	perror("/bin/sh");
	return 1;
}
