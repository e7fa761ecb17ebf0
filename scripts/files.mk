# SPDX-License-Identifier: GPL-2.0-or-later
# Everything that is not compiling: set-up, images, running, analysis.

SMP     ?= 2
MEM     ?= 768
ACCEL   ?= tcg
IMAGES  ?= build/images
KERNEL  ?= $(IMAGES)/vmlinuz
RAMDISK ?= $(IMAGES)/ramdisk.gz

.PHONY: setup images run iso help format clean size analyze

setup:
	@scripts/setup.sh

# The kernel and real Xen are fetched with apt-get, so they wait for setup.
$(IMAGES)/vmlinuz: | setup
	@scripts/images.sh $(IMAGES) kernel
$(IMAGES)/xen.elf: | setup
	@scripts/images.sh $(IMAGES) xen
$(IMAGES)/ramdisk.gz: scripts/ramdisk.sh $(wildcard scripts/ramdisk/*) | setup
	@scripts/ramdisk.sh $@

images: $(KERNEL) $(RAMDISK) $(IMAGES)/xen.elf
