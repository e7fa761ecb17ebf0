# The files of src/platform.
hv-src += src/platform/acpi_tables.c
hv-src += src/platform/acpi.c
hv-src += src/platform/irqchips.c
hv-src += src/platform/irq.c
hv-src += src/platform/pci.c
hv-src += src/platform/msi.c
hv-src += src/platform/uart.c
hv-src += src/platform/vga.c
hv-src += src/platform/clock.c
hv-src += src/platform/hpet.c
hv-src += src/platform/pmtimer.c
hv-src += src/platform/pit.c
hv-src += src/platform/rtc.c
hv-src += src/platform/reset.c
