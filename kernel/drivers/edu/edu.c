// SPDX-License-Identifier: GPL-2.0-only
/*
 * QEMU's "edu" PCI device (hw/misc/edu.c): a factorial unit, and a DMA engine that
 * moves data between memory and a buffer of 4 KiB on the device.
 *
 * All that is here is hardware: registers, interrupt, DMA addresses. The device does
 * one thing at a time and raises one interrupt when it is through.
 */
#include <linux/accelerator.h>
#include <linux/capability.h>
#include <linux/io-64-nonatomic-lo-hi.h>
#include <linux/iopoll.h>
#include <linux/module.h>
#include <linux/pci.h>
#include <uapi/linux/accelerator_edu.h>

#define EDU_ID			0x00
#define EDU_ID_MAGIC		0xed		/* in the low byte */
#define EDU_FACTORIAL		0x08
#define EDU_STATUS		0x20
#define EDU_STATUS_BUSY		BIT(0)
#define EDU_STATUS_IRQ		BIT(7)		/* raise one when the factorial is there */
#define EDU_IRQ_STATUS		0x24
#define EDU_IRQ_ACK		0x64
#define EDU_IRQ_FACTORIAL	BIT(0)
#define EDU_IRQ_DMA		BIT(8)
#define EDU_DMA_SRC		0x80
#define EDU_DMA_DST		0x88
#define EDU_DMA_COUNT		0x90
#define EDU_DMA_CMD		0x98
#define EDU_DMA_START		BIT(0)
#define EDU_DMA_FROM_DEVICE	BIT(1)
#define EDU_DMA_IRQ		BIT(2)
#define EDU_DMA_BUFFER		0x40000		/* bus address of the buffer */

#define EDU_GONE		U32_MAX		/* what a read answers when nothing is there */
#define EDU_TIMEOUT_MS		60000		/* a job's; the largest factorial takes seconds */
#define EDU_LOOK_NS		NSEC_PER_MSEC	/* between two looks at what is at work */

static unsigned int dma_bits = 28;
module_param(dma_bits, uint, 0444);
MODULE_PARM_DESC(dma_bits,
		 "address bits that the device's DMA has, as QEMU's property dma_mask says (default 28)");

static unsigned int stop_ms = 10000;
module_param(stop_ms, uint, 0600);
MODULE_PARM_DESC(stop_ms,
		 "how long a DMA may go on that was cancelled, before the device has failed (default 10000; a DMA takes 100)");

static bool gone;
module_param(gone, bool, 0600);
MODULE_PARM_DESC(gone, "for tests: as if the hardware were not there any more (default N)");

/**
 * struct edu_device - one edu
 * @accel: the core's part
 * @engine: its one engine
 * @regs: BAR 0
 * @irq: its interrupt; to ask for it takes a lock that memory is allocated under
 * @lock: for @job, against the interrupt
 * @job: what the hardware works on
 */
struct edu_device {
	struct accel_device accel;
	struct accel_engine *engine;
	void __iomem *regs;
	int irq;
	spinlock_t lock;	/* @job, against the interrupt */
	struct edu_job *job;
};

struct edu_job {
	struct accel_job base;
	u32 n;
	struct accel_mem *mem;
	u64 offset;
	u32 length;
	u32 buffer_offset;
	u32 done;		/* bytes that the hardware was told to move */
};

static struct edu_device *to_edu(struct accel_device *adev)
{
	return container_of(adev, struct edu_device, accel);
}

static struct pci_dev *edu_pdev(struct edu_device *edu)
{
	return to_pci_dev(edu->accel.dev.parent);
}

/* Unplugged, or cut off by an error: then it is not to be touched. */
static bool edu_gone(struct edu_device *edu)
{
	return READ_ONCE(gone) || pci_channel_offline(edu_pdev(edu));
}

/* What a job ends with then: with an error of the link it may yet come back. */
static int edu_gone_error(struct edu_device *edu)
{
	return READ_ONCE(edu_pdev(edu)->error_state) == pci_channel_io_frozen ? -EIO : -ENODEV;
}

/* The only ways to the registers. Of hardware that is not there reads are all ones. */
static u32 edu_read(struct edu_device *edu, u32 reg)
{
	return edu_gone(edu) ? EDU_GONE : readl(edu->regs + reg);
}

/* All ones were read: if nobody has said why, it is we who find out that it is dead. */
static void edu_check_gone(struct edu_device *edu)
{
	if (!edu_gone(edu))
		accel_device_fail(&edu->accel);
}

static void edu_write(struct edu_device *edu, u32 reg, u32 value)
{
	if (!edu_gone(edu))
		writel(value, edu->regs + reg);
}

static void edu_write64(struct edu_device *edu, u32 reg, u64 value)
{
	if (!edu_gone(edu))
		lo_hi_writeq(value, edu->regs + reg);
}

/* Whether what does @op is at work. What is not there is not. */
static bool edu_busy(struct edu_device *edu, u32 op)
{
	bool factorial = op == ACCEL_EDU_OP_FACTORIAL;
	u32 status = edu_read(edu, factorial ? EDU_STATUS : EDU_DMA_CMD);

	return status != EDU_GONE && status & (factorial ? EDU_STATUS_BUSY : EDU_DMA_START);
}

/* A DMA cannot be stopped: wait until it is through, or not there. */
static int edu_wait_dma(struct edu_device *edu)
{
	bool busy;

	return read_poll_timeout(edu_busy, busy, !busy, 1000, (READ_ONCE(stop_ms) ?: 1) * 1000ULL,
				 false, edu, ACCEL_EDU_OP_FROM_DEVICE);
}

/* One command moves one range of bus addresses: the next that the job needs. Locked. */
static void edu_start_dma(struct edu_device *edu, struct edu_job *job)
{
	bool from = job->base.op == ACCEL_EDU_OP_FROM_DEVICE;
	u64 buffer = EDU_DMA_BUFFER + job->buffer_offset + job->done;
	dma_addr_t addr = 0;
	size_t n = 0;

	/* Inside the region: edu_ioctl_dma() has made sure. */
	accel_mem_dma_addr(job->mem, job->offset + job->done, &addr, &n);
	n = min_t(size_t, n, job->length - job->done);
	job->done += n;
	edu_write64(edu, EDU_DMA_SRC, from ? buffer : addr);
	edu_write64(edu, EDU_DMA_DST, from ? addr : buffer);
	edu_write64(edu, EDU_DMA_COUNT, n);
	edu_write64(edu, EDU_DMA_CMD,
		    EDU_DMA_START | EDU_DMA_IRQ | (from ? EDU_DMA_FROM_DEVICE : 0));
}

static irqreturn_t edu_irq(int irq, void *data)
{
	struct edu_device *edu = data;
	u32 status = edu_read(edu, EDU_IRQ_STATUS), result = 0;
	struct edu_job *job;
	u32 ours;

	if (status == EDU_GONE)
		edu_check_gone(edu);
	if (!status || status == EDU_GONE)
		return IRQ_NONE;
	edu_write(edu, EDU_IRQ_ACK, status);
	spin_lock(&edu->lock);
	job = edu->job;
	ours = job && job->base.op == ACCEL_EDU_OP_FACTORIAL ? EDU_IRQ_FACTORIAL : EDU_IRQ_DMA;
	/*
	 * A factorial is said to be through before its interrupt is raised: it may be that of
	 * a job before, cancelled. Then this one's own is still to come, if it is at work.
	 */
	if (!job || !(status & ours) || edu_busy(edu, job->base.op)) {
		job = NULL;
	} else if (job->done < job->length) {
		edu_start_dma(edu, job);
		job = NULL;
	} else {
		edu->job = NULL;
	}
	spin_unlock(&edu->lock);
	if (job && job->base.op == ACCEL_EDU_OP_FACTORIAL)
		result = edu_read(edu, EDU_FACTORIAL);
	/* No factorial is all ones: but for 0! and 1!, they are even. */
	if (job)
		accel_job_done(&job->base, result == EDU_GONE ? edu_gone_error(edu) : 0, result);
	return IRQ_HANDLED;
}

static void edu_run(struct accel_job *base)
{
	struct edu_job *job = container_of(base, struct edu_job, base);
	struct edu_device *edu = to_edu(base->ctx->adev);
	u64 now, end = base->started_ns + EDU_TIMEOUT_MS * NSEC_PER_MSEC;

	/* With a job of before, cancelled: it would not take this one, nor say so. */
	while (edu_busy(edu, base->op)) {
		now = ktime_get_ns();
		if (now >= end || !accel_job_sleep_until(base, now + EDU_LOOK_NS)) {
			accel_job_done(base, now >= end ? -EIO : -ECANCELED, 0);
			return;
		}
	}
	if (edu_read(edu, EDU_ID) == EDU_GONE) {
		edu_check_gone(edu);
		accel_job_done(base, edu_gone_error(edu), 0);
		return;
	}
	spin_lock_irq(&edu->lock);
	/* Interrupts so far were others'. */
	edu_write(edu, EDU_IRQ_ACK, edu_read(edu, EDU_IRQ_STATUS));
	edu->job = job;
	if (base->op == ACCEL_EDU_OP_FACTORIAL) {
		edu_write(edu, EDU_STATUS, EDU_STATUS_IRQ);
		edu_write(edu, EDU_FACTORIAL, job->n);
	} else {
		edu_start_dma(edu, job);
	}
	spin_unlock_irq(&edu->lock);
}

static int edu_cancel(struct accel_job *base)
{
	struct edu_device *edu = to_edu(base->ctx->adev);

	/* First, so that the interrupt finds no job to go on with; it may have been there. */
	spin_lock_irq(&edu->lock);
	edu->job = NULL;
	spin_unlock_irq(&edu->lock);
	synchronize_irq(edu->irq);
	if (base->op != ACCEL_EDU_OP_FACTORIAL)
		return edu_wait_dma(edu);
	/* It reaches no memory: the next one waits for its end, and it need not tell of it. */
	edu_write(edu, EDU_STATUS, 0);
	return 0;
}

static const struct accel_engine_desc edu_engine = {
	.name = "edu",
	.depth = 1,
	.timeout_ms = EDU_TIMEOUT_MS,
	.run = edu_run,
	.cancel = edu_cancel,
};

static long edu_ioctl_factorial(struct accel_context *ctx, void *arg)
{
	struct accel_edu_factorial *args = arg;
	struct edu_job *job;

	if (args->reserved)
		return -EINVAL;
	job = accel_job_alloc(ctx, to_edu(ctx->adev)->engine, ACCEL_EDU_OP_FACTORIAL, 0,
			      struct edu_job, base);
	if (IS_ERR(job))
		return PTR_ERR(job);
	job->n = args->n;
	return accel_job_submit(&job->base, &args->job_id);
}

static long edu_ioctl_dma(struct accel_context *ctx, void *arg)
{
	struct accel_edu_dma *args = arg;
	bool from = args->op == ACCEL_EDU_OP_FROM_DEVICE;
	struct edu_job *job;
	int ret;

	if (args->reserved || !args->length || (!from && args->op != ACCEL_EDU_OP_TO_DEVICE))
		return -EINVAL;
	if (args->buffer_offset >= ACCEL_EDU_BUFFER_SIZE ||
	    args->length > ACCEL_EDU_BUFFER_SIZE - args->buffer_offset)
		return -ERANGE;
	job = accel_job_alloc(ctx, to_edu(ctx->adev)->engine, args->op, args->length,
			      struct edu_job, base);
	if (IS_ERR(job))
		return PTR_ERR(job);
	job->mem = accel_job_use_mem(&job->base, args->mem_id,
				     from ? ACCEL_MEM_WRITE : ACCEL_MEM_READ, args->offset,
				     args->length);
	if (IS_ERR(job->mem)) {
		ret = PTR_ERR(job->mem);
		accel_job_discard(&job->base);
		return ret;
	}
	job->offset = args->offset;
	job->length = args->length;
	job->buffer_offset = args->buffer_offset;
	return accel_job_submit(&job->base, &args->job_id);
}

static int edu_mmap(struct accel_context *ctx, struct accel_map_desc *map)
{
	struct pci_dev *pdev = edu_pdev(to_edu(ctx->adev));

	if (map->offset || map->size != PAGE_SIZE)
		return -EINVAL;
	if (map->write)
		return -EACCES;
	/* They tell of what others do. */
	if (!capable(CAP_SYS_RAWIO))
		return -EPERM;
	map->phys = pci_resource_start(pdev, 0);
	map->noncached = true;
	return 0;
}

static const struct accel_ioctl_desc edu_ioctls[] = {
	ACCEL_IOCTLS_MEM,
	ACCEL_IOCTLS_DMABUF,
	ACCEL_IOCTLS_IOMMUFD,
	ACCEL_IOCTLS_JOB,
	ACCEL_IOCTL(ACCEL_EDU_IOCTL_FACTORIAL, struct accel_edu_factorial, job_id,
		    edu_factorial, edu_ioctl_factorial, 0),
	ACCEL_IOCTL(ACCEL_EDU_IOCTL_DMA, struct accel_edu_dma, job_id,
		    edu_dma, edu_ioctl_dma, 0),
};

static const struct accel_node_desc edu_nodes[] = {
	{ .suffix = "", .ioctls = edu_ioctls, .num_ioctls = ARRAY_SIZE(edu_ioctls),
	  .can_mmap = true },
};

/* Ready for jobs, whatever it was at: for who had it before us, or before a reset. */
static int edu_start(struct accel_device *adev)
{
	struct edu_device *edu = to_edu(adev);
	u32 id = edu_read(edu, EDU_ID);

	if (id == EDU_GONE || (id & 0xff) != EDU_ID_MAGIC) {
		pci_err(edu_pdev(edu), "not an edu: id 0x%08x\n", id);
		return -ENODEV;
	}
	/* No reset ends a DMA, which is to reach no memory of ours. For a factorial see run. */
	if (edu_wait_dma(edu)) {
		pci_err(edu_pdev(edu), "its DMA does not end\n");
		return -EBUSY;
	}
	edu_write(edu, EDU_STATUS, 0);
	edu_write(edu, EDU_IRQ_ACK, edu_read(edu, EDU_IRQ_STATUS));
	pci_set_master(edu_pdev(edu));
	return 0;
}

static const struct accel_driver edu_driver = {
	.name = "accel_edu",
	.type = "offload",
	.flags = ACCEL_DEVICE_IOMMUFD_ATTACH,
	.nodes = edu_nodes,
	.num_nodes = ARRAY_SIZE(edu_nodes),
	.mmap = edu_mmap,
	.reset_done = edu_start,
};

static int edu_probe(struct pci_dev *pdev, const struct pci_device_id *id)
{
	struct edu_device *edu;
	u32 version;
	int ret;

	ret = pcim_enable_device(pdev);
	if (ret)
		return ret;
	ret = pcim_iomap_regions(pdev, BIT(0), "accel_edu");
	if (ret)
		return ret;
	ret = dma_set_mask_and_coherent(&pdev->dev, DMA_BIT_MASK(dma_bits));
	if (ret)
		return ret;
	/* The hardware cuts nothing: a segment is as long as its pages are contiguous. */
	dma_set_max_seg_size(&pdev->dev, UINT_MAX);

	edu = devm_accel_device_alloc(&pdev->dev, &edu_driver, struct edu_device, accel);
	if (IS_ERR(edu))
		return PTR_ERR(edu);
	spin_lock_init(&edu->lock);
	edu->regs = pcim_iomap_table(pdev)[0];
	edu->engine = accel_engine_add(&edu->accel, &edu_engine);
	if (IS_ERR(edu->engine))
		return PTR_ERR(edu->engine);
	ret = edu_start(&edu->accel);
	if (ret)
		return ret;
	version = edu_read(edu, EDU_ID) >> 16;
	snprintf(edu->accel.firmware_version, sizeof(edu->accel.firmware_version), "%u.%u",
		 version >> 8, version & 0xff);
	ret = pci_alloc_irq_vectors(pdev, 1, 1, PCI_IRQ_MSI);
	if (ret < 0)
		return dev_err_probe(&pdev->dev, ret, "no MSI vector\n");
	edu->irq = pci_irq_vector(pdev, 0);
	ret = devm_request_irq(&pdev->dev, edu->irq, edu_irq, 0, "accel_edu", edu);
	return ret ?: devm_accel_device_register(&edu->accel);
}

static const struct pci_device_id edu_ids[] = {
	{ PCI_DEVICE(0x1234, 0x11e8) },
	{ }
};
MODULE_DEVICE_TABLE(pci, edu_ids);

static struct pci_driver edu_pci_driver = {
	.name = "accel_edu",
	.id_table = edu_ids,
	.probe = edu_probe,
	/* its users may be, see ACCEL_DEVICE_IOMMUFD_ATTACH */
	.driver_managed_dma = IS_ENABLED(CONFIG_IOMMUFD),
	.err_handler = &accel_pci_error_handlers,
};
module_pci_driver(edu_pci_driver);

MODULE_DESCRIPTION("QEMU's edu device as an accelerator");
MODULE_IMPORT_NS(ACCEL_EXPORT_NS);
MODULE_LICENSE("GPL");
