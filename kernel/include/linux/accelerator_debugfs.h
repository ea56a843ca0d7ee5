/* SPDX-License-Identifier: GPL-2.0-only */
/* A driver's own files in its devices' debugfs directories; see accel_debugfs_create_seq(). */
#ifndef _LINUX_ACCELERATOR_DEBUGFS_H
#define _LINUX_ACCELERATOR_DEBUGFS_H

struct accel_device;
struct seq_file;

/* Prints all of a file's text into @m; 0 or a negative errno, which read() answers. */
typedef int (*accel_debugfs_show_fn)(struct seq_file *m, struct accel_device *adev);

void accel_debugfs_create_seq(struct accel_device *adev, const char *name,
			      accel_debugfs_show_fn show);

#endif /* _LINUX_ACCELERATOR_DEBUGFS_H */
