/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef ACCEL_EXPORTER_NEGOTIATE_H
#define ACCEL_EXPORTER_NEGOTIATE_H

#include "exposition.h"

/*
 * negotiate() - the format that a client prefers, by its header Accept; NULL: it sent none
 *
 * OpenMetrics where it asks for that by name, in version 1.0.0 or in any, and likes it as
 * well as plain text; else Prometheus' format, which everybody reads, whatever it asks for.
 */
enum text_format negotiate(const char *accept);

#endif /* ACCEL_EXPORTER_NEGOTIATE_H */
