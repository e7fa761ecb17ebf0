/* SPDX-License-Identifier: GPL-2.0-or-later */
/* libFuzzer: any bytes as an ELF, and as a PV kernel. All that is found must lie within the image. */
#include "lib/pvkernel.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static volatile uint8_t sink;

static void touch(const uint8_t *at, uint64_t size)
{
    for (uint64_t i = 0; i < size; i++)
        sink = (uint8_t)(sink + at[i]);
}

static void touch_span(struct span span)
{
    touch((const uint8_t *)span.at, span.len);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct elf elf;
    struct elf_segment segment;
    struct pv_kernel kernel;
    const char *why = NULL;
    uint32_t cursor = 0;

    if (elf_open(&elf, data, size, &why) != 0)
        return why != NULL ? 0 : (__builtin_trap(), 0);
    while (elf_next_load(&elf, &cursor, &segment))
        touch(data + segment.offset, segment.filesz);
    if (pv_kernel_read(&kernel, &elf, 0xffff, &why) != 0)
        return why != NULL ? 0 : (__builtin_trap(), 0);
    if (kernel.vstart >= kernel.vend || kernel.entry < kernel.vstart || kernel.entry >= kernel.vend)
        __builtin_trap();
    touch_span(kernel.guest_os);
    touch_span(kernel.guest_version);
    touch_span(kernel.xen_version);
    touch_span(kernel.loader);
    touch_span(kernel.pae_mode);
    return 0;
}
