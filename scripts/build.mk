# SPDX-License-Identifier: GPL-2.0-only
# The rules that build. Called by the Makefile, which holds build/.lock.
# Everything is found by its place in the tree: see each section's first lines.

.DEFAULT_GOAL := all
.SUFFIXES:
.SECONDARY:
.DELETE_ON_ERROR:
SHELL := /bin/bash
MAKEFLAGS += --no-builtin-rules

ifeq ($(SETUP)$(KDIR),)
include build/kernel.mk
else
-include build/kernel.mk
endif

B := build
VERSION := 0.1
CLANG ?= clang-16
ifeq ($(origin CC),default)
CC := gcc
endif
ARCH_BPF := $(subst x86_64,x86,$(subst aarch64,arm64,$(shell uname -m)))

ifeq ($(V),1)
Q :=
say = @:
else
Q := @
say = @printf '  %-7s %s\n'
MAKEFLAGS += --silent
endif

all: modules bpf tools man selftests machine
.PHONY: all modules bpf tools man selftests machine FORCE

include scripts/modules.mk
include scripts/bpf.mk
include scripts/user.mk

$(B)/%/:
	@mkdir -p $@
