# SPDX-License-Identifier: GPL-2.0-only
# What a user types. The rules that build things are in scripts/build.mk; one
# make at a time runs them, so that several people can share a checkout.

.DEFAULT_GOAL := all
.NOTPARALLEL:
MAKEFLAGS += --no-print-directory --no-builtin-rules
SHELL := /bin/bash

top := $(CURDIR)
BUILT := all modules bpf tools man selftests machine

# -j: as the user says, or one job per processor
jobs := $(if $(filter -j% --jobserver%,$(MAKEFLAGS)),,-j$(shell nproc))
build = @mkdir -p build && exec flock build/.lock $(MAKE) -f scripts/build.mk $(jobs)

help:
	@sed -n 's/^#h //p' Makefile

#h Targets:
#h   make              modules, BPF objects, tools and tests, under build/
#h   make setup        Debian packages and a kernel to build against (other
#h                     targets call it; does nothing when all is there)
#h   make demo         two tenants' load on a test machine, seen in accel-top
#h   make vm           a shell on a test machine; CMD='...' runs that instead
#h   make check        static checks, unit tests, tests in the test machine
#h   make check-full   the same tests again, and more, on an instrumented kernel
#h   make bench        ratios to peers, judged, in docs/benchmarks.md
#h   make install      tools, manuals to DESTDIR/PREFIX; with KDIR= modules, too;
#h                     make uninstall, with the same variables, removes them
#h   make clean        remove what was built; distclean: and its settings
#h   make kernel-full  the instrumented kernel of check-full, 10 to 20 minutes, once
#h   make kernel-newest  a small one of Debian's newest source, likewise, 6 to 15 minutes
#h   make modules|bpf|tools|man|selftests    that part alone
#h
#h Variables:
#h   V=1               show the commands
#h   KDIR=DIR          build modules against this kernel's build directory
#h   PREFIX=/usr/local  DESTDIR=    where make install puts things
#h   DEVICES="edu=2 soft=4"  KERNEL=debian  MEM=1G  SMP=2  TIMEOUT=SECONDS
#h                     the test machine (make vm, selftests/vm/run)
#h   AREAS="edu soft"  make check: only these directories of selftests/
#h   BENCH="gate"      make bench: only these areas (selftests/bench/*.toml)
#h   ACCEL_CACHE=DIR   downloads and unpacked kernels (~/.cache/accelerator)
#h   SETUP=no          do not look for Debian packages

# ---- set-up ----

# KDIR= means that the modules run on that kernel: none is fetched for them
setup:
ifneq ($(SETUP),no)
	@scripts/setup $(if $(KDIR),--packages-only)
endif

# ---- building ----

$(BUILT): setup
	$(build) $@

# The instrumented kernel, once, and the modules against it
kernel-full: setup
	@dir=$$(scripts/kernel-build full) && $(MAKE) --no-print-directory SETUP=no KDIR="$$dir" modules

# The newest kernel, likewise; it has no BTF
kernel-newest: setup
	@dir=$$(scripts/kernel-build newest) && $(MAKE) --no-print-directory SETUP=no BTF=no KDIR="$$dir" modules

# ---- the test machine ----

vm: built-for-vm
ifdef CMD
	@exec selftests/vm/run '$(subst ','\'',$(CMD))'
else
	@selftests/vm/run
endif

# Progress on stderr: what follows may own stdout
built-for-vm:
	@$(MAKE) all >&2
ifneq ($(filter full newest,$(KERNEL)),)
	@$(MAKE) kernel-$(KERNEL) >&2
endif

demo:
	@exec selftests/vm/demo

check:
	@exec selftests/vm/check

check-full:
	@KERNEL=full exec selftests/vm/check

# Its peers are packages that nothing else needs
bench: built-for-vm
ifneq ($(SETUP),no)
	@scripts/setup --bench
endif
	@exec selftests/bench/bench.py $(BENCH)

# ---- the rest ----

PREFIX ?= /usr/local
install: all
	@scripts/install install "$(DESTDIR)" "$(PREFIX)" "$(KDIR)"

uninstall:
	@scripts/install uninstall "$(DESTDIR)" "$(PREFIX)" "$(KDIR)"

clean:
	@find build -mindepth 1 -maxdepth 1 ! -name kernel.mk ! -name .lock -exec rm -rf {} + 2>/dev/null || true

distclean:
	@rm -rf build

.PHONY: help setup kernel-full kernel-newest vm built-for-vm demo check check-full bench install uninstall clean distclean $(BUILT)
