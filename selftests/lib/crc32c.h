/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* CRC-32C by table: what the soft driver's results are checked against. */
#ifndef SELFTESTS_CRC32C_H
#define SELFTESTS_CRC32C_H

#include <stddef.h>
#include <stdint.h>

/*
 * crc32c() - checksum of @n bytes, continued from that of what came before, 0 at first
 *
 * crc32c(0, "123456789", 9) is 0xe3069283. The first call makes the tables: not
 * beside another one.
 */
uint32_t crc32c(uint32_t crc, const void *data, size_t n);

#endif
