# SPDX-License-Identifier: GPL-2.0-or-later
# Hospes: one Makefile; every folder of src/ lists its files in files.mk.
# `make help` says what can be made.

MAKEFLAGS += --no-builtin-rules
SHELL     := /bin/bash
B         ?= build
DEBUG     ?= 1
SANITIZE  ?= 0
ifeq ($(origin CC),default)
CC        := gcc
endif
.DEFAULT_GOAL := all

LAYERS := abi lib x86 mem core platform sched domain evtchn grant emul pv hypercall builder boot

hv-src  :=
hv-libs :=
include $(patsubst %,src/%/files.mk,$(LAYERS))

# --- flags ---------------------------------------------------------------------------------

WARN := -Wall -Wextra -Werror -Wconversion -Wsign-conversion -Wshadow -Wundef -Wvla \
        -Wstrict-prototypes -Wmissing-prototypes -Wmissing-declarations -Wwrite-strings \
        -Wimplicit-fallthrough -Wpointer-arith -Wno-unused-parameter

# Xen's public headers come from libxen-dev and are seen through build/include
# alone, so that no header of the C library can slip in beside them.
GCC_INC   := $(shell $(CC) -print-file-name=include 2>/dev/null)
HV_CPP    := -nostdinc -isystem $(GCC_INC) -isystem $(B)/include -Isrc -I$(B)/gen \
             -D__XEN__ -DHOSPES_DEBUG=$(DEBUG) -DHOSPES_SANITIZE=$(SANITIZE) -include lib/config.h
HV_CFLAGS := -std=gnu17 -O2 -g -ffreestanding -fno-common -fno-strict-aliasing \
             -fno-stack-protector -mstack-protector-guard=global -fno-omit-frame-pointer -fno-asynchronous-unwind-tables \
             -fpie -fvisibility=hidden -mno-red-zone -mgeneral-regs-only -mcmodel=small \
             -ffunction-sections -fdata-sections $(WARN)
HV_LDFLAGS := -m elf_x86_64 -static -z max-page-size=0x1000 -z noexecstack --gc-sections \
              --build-id=sha1 --no-warn-rwx-segments --no-relax

# Indirect jumps and returns go through thunks (x86/thunks.S), which start-up replaces by what the processor needs.
# gcc would give up jump tables for it; clang 14 has no thunks for returns.
ifneq ($(shell $(CC) --version | grep -c clang),0)
HV_THUNKS := -mretpoline -mretpoline-external-thunk
else
HV_THUNKS := -mindirect-branch=thunk-extern -mindirect-branch-register -mfunction-return=thunk-extern -fjump-tables
endif

# SANITIZE=1: what C leaves undefined traps, stack frames and small objects have guards, freed memory is
# poisoned, and allocations can be made to fail (docs/debugging.md).
ifeq ($(SANITIZE),1)
HV_CFLAGS += -fsanitize=undefined -fsanitize-undefined-trap-on-error -fstack-protector-strong \
             -Wno-conversion -Wno-sign-conversion # the checks hide from gcc that a value fits
endif

# A file that needs a flag of its own has it in its folder's files.mk:
# CFLAGS-lib/unpack := ...

# --- the hypervisor ------------------------------------------------------------------------

hv-obj := $(patsubst src/%,$(B)/src/%.o,$(hv-src))

.PHONY: all objects $(LAYERS)
all: $(B)/hospes $(B)/hospes.gz

# Compile without linking: everything, or one folder (`make mem`).
objects: $(hv-obj)
$(foreach l,$(LAYERS),$(eval $(l): $(filter $(B)/src/$(l)/%,$(hv-obj))))

$(B)/include/.stamp:
	@mkdir -p $(B)/include
	@test -d /usr/include/xen/arch-x86 || \
	    { echo "Xen's public headers are missing: run 'make setup' (package libxen-dev)"; exit 1; }
	@ln -sfn /usr/include/xen $(B)/include/xen
	@touch $@

# Offsets that assembly needs, generated from the C structures (never typed).
$(B)/gen/offsets.h: $(wildcard src/x86/offsets.c) $(B)/include/.stamp
	@mkdir -p $(@D)
	@$(CC) $(HV_CPP) $(filter-out -Werror,$(HV_CFLAGS)) -MMD -MF $(B)/gen/offsets.d -MT $@ \
	    -S -o $(B)/gen/offsets.s $(or $(filter %.c,$^),-xc /dev/null)
	@sed -n 's/^.*->\([A-Za-z_0-9]*\) [$$]*\([-0-9]*\).*/\#define \1 \2/p' $(B)/gen/offsets.s > $@
-include $(B)/gen/offsets.d

$(B)/src/%.c.o: src/%.c $(B)/gen/offsets.h
	@mkdir -p $(@D)
	@echo "  CC    $<"
	@$(CC) $(HV_CPP) $(HV_CFLAGS) $(HV_THUNKS) $(CFLAGS-$*) -MMD -MP -c -o $@ $<

$(B)/src/%.S.o: src/%.S $(B)/gen/offsets.h
	@mkdir -p $(@D)
	@echo "  AS    $<"
	@$(CC) $(HV_CPP) -D__ASSEMBLY__ -g -MMD -MP -c -o $@ $<

-include $(hv-obj:.o=.d)

$(B)/src/boot/hospes.lds: src/boot/hospes.lds.S $(B)/gen/offsets.h
	@mkdir -p $(@D)
	@$(CC) $(HV_CPP) -D__ASSEMBLY__ -E -P -MMD -MP -MT $@ -MF $@.d -o $@ $<
-include $(B)/src/boot/hospes.lds.d

$(B)/hospes: $(hv-obj) $(B)/src/boot/hospes.lds
	@echo "  LD    $@"
	@ld $(HV_LDFLAGS) -T $(B)/src/boot/hospes.lds -o $@.first $(hv-obj) $(hv-libs)
	@set -o pipefail; { scripts/symbols.sh $@.first && scripts/thunks.sh $@.first; } | as -o $(B)/symbols.o
	@ld $(HV_LDFLAGS) -T $(B)/src/boot/hospes.lds -o $@ $(hv-obj) $(B)/symbols.o $(hv-libs)

$(B)/hospes.gz: $(B)/hospes
	@gzip -9nc $< > $@

include scripts/files.mk
include tests/files.mk
include bench/files.mk
