# SPDX-License-Identifier: GPL-2.0-or-later
# Fuzzing. `make fuzz`: hypercalls, compared with Xen. `make fuzz-host`: clang's libFuzzer, each target below
# for FUZZ_SECONDS.
# `fuzz += NAME` and `fuzz-NAME := src/x/a.c ...`, the sources under test.
fuzz :=
fuzz += kernel
fuzz-kernel := src/lib/elf.c src/lib/pvkernel.c src/lib/parse.c
fuzz += unpack
fuzz-unpack := src/lib/unpack.c src/lib/bzimage.c src/lib/xz.c src/lib/xz_x86.c src/lib/lzma2.c
fuzz-libs-unpack := -lz -lzstd -llz4 -llzma

FUZZ_SECONDS ?= 60

.SECONDEXPANSION:
$(B)/fuzz/%: tests/fuzz/fuzz_%.c $$(fuzz-$$*) $(B)/include/.stamp
	@mkdir -p $(@D) $(B)/fuzz/corpus-$*
	@echo "  FUZZ  $@"
	@clang -isystem $(B)/include -Itests/fake -Isrc -D__XEN__ -DHOSPES_DEBUG=1 -DHOSPES_SANITIZE=1 -include lib/config.h -std=gnu17 -O1 -g \
	    -fno-strict-aliasing -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=all \
	    -o $@ $< $(fuzz-$*) $(fuzz-libs-$*)

.PHONY: fuzz-host
fuzz-host: $(fuzz-bin)
	@set -e; for t in $(fuzz); do \
	    echo "fuzzing $$t for $(FUZZ_SECONDS) s"; \
	    $(B)/fuzz/$$t -max_total_time=$(FUZZ_SECONDS) -max_len=65536 -print_final_stats=1 \
	        -artifact_prefix=$(B)/fuzz/ $(B)/fuzz/corpus-$$t; \
	done

# Differential fuzzing: the same streams of operations on Hospes and on real Xen.
$(eval $(call guest-rule,fuzz))

.PHONY: fuzz check-fuzz
fuzz: all images $(B)/guest/fuzz
	@$(PY) tests/guest/fuzz.py --build $(B) --xen $(IMAGES)/xen.elf --seconds $(FUZZ_SECONDS)

# Streams that are the same each time, those first in which something was found once.
check-fuzz: all images $(B)/guest/fuzz
	@$(PY) tests/guest/fuzz.py --build $(B) --xen $(IMAGES)/xen.elf --corpus --seeds 101,5 --streams 1500 --server 5
