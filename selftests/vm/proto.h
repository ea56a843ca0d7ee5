/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What travels between the guest's agent and the host's vmhost over one
 * virtio-serial port: records of a header and its payload, both ways. Both ends
 * are the same kind of machine, so numbers are in its own byte order.
 */
#ifndef SELFTESTS_VM_PROTO_H
#define SELFTESTS_VM_PROTO_H

#include <stdint.h>

#define VM_PORT_NAME "accel-vm"
/* Another port, which speaks QMP with QEMU itself: selftests/lib/qmp.h */
#define VM_QMP_PORT_NAME "accel-qmp"
#define VM_REC_MAX 16384

enum vm_rec_type {
	/* guest to host */
	VM_READY = 'r',		/* booted, about to start the command; uptime in ms (uint32_t) */
	VM_STDOUT = 'o',	/* bytes */
	VM_STDERR = 'e',	/* bytes */
	VM_DMESG = 'd',		/* bytes */
	VM_EXIT = 'x',		/* exit status of the command (uint32_t) */
	VM_FATAL = 'f',		/* the guest could not get ready: text */
	VM_END = 'z',		/* nothing follows; power off */
	/* host to guest */
	VM_STDIN = 'i',		/* bytes; none means end of file */
	VM_WINSIZE = 'w',	/* rows, columns (2 x uint16_t) */
};

struct vm_rec {
	uint32_t type;
	uint32_t len;
};

#endif
