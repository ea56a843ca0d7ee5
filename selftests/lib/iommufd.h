/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* iommufd (/dev/iommu) as tests need it: systems of Debian 12's age have no header for it. */
#ifndef SELFTESTS_IOMMUFD_H
#define SELFTESTS_IOMMUFD_H

#include <stddef.h>
#include <stdint.h>

/* All answer 0 or -errno; ids and descriptors are not negative. */

int iommufd_open(void);
int iommufd_ioas(int iommufd);
int iommufd_destroy(int iommufd, uint32_t id);

/* iommufd_map() - @addr at @iova; @access: ACCEL_MEM_READ and _WRITE: what a device may do */
int iommufd_map(int iommufd, uint32_t ioas, const void *addr, size_t length, uint64_t iova,
		uint32_t access);
int iommufd_unmap(int iommufd, uint32_t ioas, uint64_t iova, uint64_t length);

/* iommufd_hwpt() - a hardware page table of @ioas for device @dev_id */
int iommufd_hwpt(int iommufd, uint32_t dev_id, uint32_t ioas);

/* iommufd_hwpt_pasid() - the same, for a PASID of that device */
int iommufd_hwpt_pasid(int iommufd, uint32_t dev_id, uint32_t ioas);

/* iommufd_bind() - bind the open accelerator @fd; the id of the object that was made */
int iommufd_bind(int fd, int iommufd, uint32_t pt_id);

/* iommufd_bind_pasid() - the same, by a PASID, which *@pasid then is; @pasid may be NULL */
int iommufd_bind_pasid(int fd, int iommufd, uint32_t pt_id, uint32_t *pasid);
int iommufd_unbind(int fd);

/* iommufd_pin() - a region of @fd by its IOVA */
int iommufd_pin(int fd, uint64_t iova, uint64_t length, uint32_t flags, uint64_t *mem_id);

#endif
