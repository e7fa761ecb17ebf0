# SPDX-License-Identifier: GPL-2.0-or-later
# Fuzzing. `make fuzz`: hypercalls, compared with Xen. `make fuzz-host`: clang's libFuzzer, each target below
# for FUZZ_SECONDS, and a table of the lines of its sources that were reached; it begins with the inputs in
# tests/fuzz/corpus (corpus.py). `make check` runs each target a fixed number of times.
# `fuzz += NAME:RUNS` and `fuzz-NAME := src/x/a.c ...`, the sources under test; fuzz-with-NAME: what else is linked.
fuzz :=
fuzz += kernel:300000
fuzz-kernel := src/lib/elf.c src/lib/pvkernel.c
fuzz-with-kernel := src/lib/parse.c
fuzz += unpack:40000
fuzz-unpack := src/lib/unpack.c src/lib/bzimage.c src/lib/xz.c src/lib/xz_x86.c src/lib/lzma2.c
fuzz-libs-unpack := -lz -lzstd -llz4 -llzma
fuzz += emul:500000
fuzz-emul := $(addprefix src/emul/,decode.c execute.c operand.c alu.c string.c system.c)
fuzz += acpi:200000
fuzz-acpi := src/platform/acpi.c src/platform/acpi_tables.c
fuzz += multiboot:200000
fuzz-multiboot := src/boot/multiboot.c
fuzz-with-multiboot := src/boot/memmap.c
fuzz += args:200000
fuzz-args := src/builder/args.c src/core/cmdline.c src/lib/parse.c
fuzz-with-args := src/lib/format.c
fuzz += hypercall:3000
fuzz-hypercall := $(addprefix src/hypercall/,event.c sched.c vcpu.c memory.c reservation.c exchange.c version.c \
    console.c misc.c refuse.c state.c) $(wildcard src/grant/*.c)
fuzz-with-hypercall := $(unit-world) src/core/cmdline.c src/lib/parse.c

FUZZ_SECONDS ?= 60

fuzz-name = $(firstword $(subst :, ,$(1)))
fuzz-names := $(foreach f,$(fuzz),$(call fuzz-name,$(f)))
comma := ,
space := $(strip) $(strip)
# What host.py is told: NAME:RUNS=SOURCE,SOURCE,...
fuzz-targets := $(foreach f,$(fuzz),$(f)=$(subst $(space),$(comma),$(strip $(fuzz-$(call fuzz-name,$(f))))))
fuzz-bin := $(addprefix $(B)/fuzz/,$(fuzz-names))
FUZZ_CFLAGS := -isystem $(B)/include -Itests/fake -Isrc -I$(B)/gen -D__XEN__ -DHOSPES_DEBUG=1 -DHOSPES_SANITIZE=1 \
    -include lib/config.h -std=gnu17 -O1 -g -fno-strict-aliasing -fno-builtin -fno-omit-frame-pointer \
    -fsanitize=address,undefined -fno-sanitize-recover=all -fprofile-instr-generate -fcoverage-mapping

$(B)/fuzz/obj/%.o: %.c $(B)/gen/offsets.h
	@mkdir -p $(@D)
	@echo "  CC    $< (fuzz)"
	@clang $(FUZZ_CFLAGS) -fsanitize=fuzzer-no-link $(CFLAGS-fuzz-$(*F)) -MMD -MP -c -o $@ $<

fuzz-obj = $(patsubst %.c,$(B)/fuzz/obj/%.o,tests/fuzz/fuzz_$(1).c $(fuzz-$(1)) $(fuzz-with-$(1)))
define fuzz-rule
$(B)/fuzz/$(1): $(call fuzz-obj,$(1))
	@echo "  FUZZ  $$@"
	@clang $$(FUZZ_CFLAGS) -fsanitize=fuzzer -o $$@ $$^ $$(fuzz-libs-$(1))
-include $(patsubst %.o,%.d,$(call fuzz-obj,$(1)))
endef
$(foreach f,$(fuzz-names),$(eval $(call fuzz-rule,$(f))))

.PHONY: fuzz-host
fuzz-host: $(fuzz-bin)
	@$(PY) tests/fuzz/host.py --build $(B) --seconds $(FUZZ_SECONDS) --only "$(T)" $(fuzz-targets)

# Differential fuzzing: the same streams of operations on Hospes and on real Xen.
$(eval $(call guest-rule,fuzz))

.PHONY: fuzz check-fuzz
fuzz: all images $(B)/guest/fuzz
	@$(PY) tests/guest/fuzz.py --build $(B) --xen $(IMAGES)/xen.elf --seconds $(FUZZ_SECONDS)

# Streams that are the same each time, those first in which something was found once.
check-fuzz: all images $(B)/guest/fuzz
	@$(PY) tests/guest/fuzz.py --build $(B) --xen $(IMAGES)/xen.elf --corpus --seeds 101,5 --streams 1500 --server 5
