/* SPDX-License-Identifier: GPL-2.0-only */
/* What a source of snapshots implements. Only the model's own files include this. */
#ifndef ACCEL_LIB_MODEL_SOURCE_H
#define ACCEL_LIB_MODEL_SOURCE_H

#include "model.h"

struct accel_source_ops {
	enum accel_source_kind kind;
	/* Fill in @snap; it is freed by the caller when this fails. */
	int (*read)(struct accel_source *src, struct accel_snapshot *snap);
	void (*close)(struct accel_source *src);
};

/* Embedded first in the source's own structure. */
struct accel_source {
	const struct accel_source_ops *ops;
	unsigned int parts;		/* ACCEL_READ_* */
	uint64_t only;			/* device id, 0: all */
	char error[256];
};

void accel_source_init(struct accel_source *src, const struct accel_source_ops *ops);
/* Say why, and return @err. */
__attribute__((format(printf, 3, 4)))
int accel_source_fail(struct accel_source *src, int err, const char *fmt, ...);
uint64_t accel_monotonic_ns(void);
/* @from, cut to fit. */
void accel_text_set(char *to, size_t size, const char *from);

#define ACCEL_TEXT_SET(_to, _from) accel_text_set(_to, sizeof(_to), _from)

#endif /* ACCEL_LIB_MODEL_SOURCE_H */
