// SPDX-License-Identifier: GPL-2.0-only
/* The object files of the policies, as they were built: accelctl needs no other file. */

#define OBJECT(name)							\
	__asm__(".pushsection .rodata\n"				\
		".balign 16\n"						\
		".globl " #name "_elf, " #name "_elf_end\n"		\
		#name "_elf:\n"						\
		".incbin \"build/bpf/policies/" #name ".bpf.o\"\n"	\
		#name "_elf_end:\n"					\
		".byte 0\n"						\
		".popsection\n")

OBJECT(pin_limit);
OBJECT(ioctl_filter);
OBJECT(job_rate);
OBJECT(fair_share);
OBJECT(audit);
