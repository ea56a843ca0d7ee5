/* SPDX-License-Identifier: (GPL-2.0-only WITH Linux-syscall-note) OR BSD-2-Clause */
/* What accel_bench and the programs of selftests/bench say to each other. No ABI. */
#ifndef _ACCEL_BENCH_H
#define _ACCEL_BENCH_H

#include <linux/accelerator.h>

/*
 * The ioctl that does nothing: 16 bytes in, 16 bytes out, as DRM_IOCTL_GET_CAP has.
 * Served by an accelerator of accel_bench, and by /dev/accel_bench, a misc device.
 */
struct accel_bench_null {
	__u64 in;
	__u64 out;
};

/* Ways to keep a device from going while its driver is called. */
enum accel_bench_gate {
	ACCEL_BENCH_NONE,		/* none at all: the loop itself */
	ACCEL_BENCH_PERCPU_REF,
	ACCEL_BENCH_SRCU,
	ACCEL_BENCH_RWSEM,		/* as drivers/fwctl has it */
	ACCEL_BENCH_GATES,
	ACCEL_BENCH_SRCU_CALLBACK = ACCEL_BENCH_GATES,	/* closing only: call_srcu() */
	ACCEL_BENCH_CLOSINGS,
};

/**
 * struct accel_bench_read - enter and leave @count times
 * @gate: in: enum accel_bench_gate
 * @count: in: times
 * @ns: out: for all of them
 */
struct accel_bench_read {
	__u32 gate;
	__u32 count;
	__u64 ns;
};

/**
 * struct accel_bench_close - close a gate of its own, and wait until nobody is inside
 * @gate: in: enum accel_bench_gate, not %ACCEL_BENCH_NONE
 * @hold_us: in: 0: nobody is inside; else a reader is, and leaves so much later
 * @close_ns: out: from the call to its end
 * @after_ns: out: of it, since the reader left; 0 when there was none
 * @slices: out: how often the waiter looked at who is inside while it waited
 */
struct accel_bench_close {
	__u32 gate;
	__u32 hold_us;
	__u64 close_ns;
	__u64 after_ns;
	__u64 slices;
};

/**
 * struct accel_bench_size - memory that a gate takes for each device
 * @gate: in: enum accel_bench_gate
 * @fixed: out: bytes for the device
 * @percpu: out: bytes for each possible processor besides
 * @reserved: zero
 */
struct accel_bench_size {
	__u32 gate;
	__u32 fixed;
	__u32 percpu;
	__u32 reserved;
};

/**
 * struct accel_bench_pin - pin and map a region of the caller's memory, see pin.c, pin_tight.c
 * @addr: in: a multiple of the page size
 * @length: in: likewise
 *
 * One for each open file: until %ACCEL_BENCH_UNPIN or %ACCEL_BENCH_TIGHT_UNPIN, or the close.
 */
struct accel_bench_pin {
	__u64 addr;
	__u64 length;
};

#define ACCEL_BENCH_NULL	_IOWR(ACCEL_IOCTL_TYPE, 0x40, struct accel_bench_null)
#define ACCEL_BENCH_READ	_IOWR(ACCEL_IOCTL_TYPE, 0x41, struct accel_bench_read)
#define ACCEL_BENCH_CLOSE	_IOWR(ACCEL_IOCTL_TYPE, 0x42, struct accel_bench_close)
#define ACCEL_BENCH_SIZE	_IOWR(ACCEL_IOCTL_TYPE, 0x43, struct accel_bench_size)
#define ACCEL_BENCH_PIN		_IOW(ACCEL_IOCTL_TYPE, 0x44, struct accel_bench_pin)
#define ACCEL_BENCH_UNPIN	_IO(ACCEL_IOCTL_TYPE, 0x45)
#define ACCEL_BENCH_TIGHT_PIN	_IOW(ACCEL_IOCTL_TYPE, 0x46, struct accel_bench_pin)
#define ACCEL_BENCH_TIGHT_UNPIN	_IO(ACCEL_IOCTL_TYPE, 0x47)

#endif /* _ACCEL_BENCH_H */
