# Unit tests: `unit += NAME` and `unit-NAME := src/x/a.c ...`, the sources that
# tests/unit/test_NAME.c needs beside itself. Two lines for each test.
unit += builder_layout
unit-builder_layout := src/builder/layout.c
unit += servers_args
unit-servers_args := src/builder/args.c src/lib/parse.c src/lib/format.c
unit += emul
unit-emul := src/emul/alu.c src/emul/decode.c src/emul/execute.c src/emul/operand.c src/emul/string.c src/emul/system.c
unit += console
unit-console := src/builder/console_line.c src/builder/console_ring.c
unit += emul_system
unit-emul_system := src/emul/alu.c src/emul/decode.c src/emul/execute.c src/emul/operand.c src/emul/string.c src/emul/system.c
unit += page_alloc
unit-page_alloc := src/mem/page_alloc.c src/mem/frame.c src/x86/spinlock.c tests/fake/cpu.c tests/fake/panic.c tests/fake/memory.c
unit += frame
unit-frame := src/mem/page_alloc.c src/mem/frame.c src/x86/spinlock.c tests/fake/cpu.c tests/fake/panic.c tests/fake/memory.c
unit += heap
unit-heap := src/mem/heap.c src/mem/page_alloc.c src/mem/frame.c src/x86/spinlock.c tests/fake/cpu.c tests/fake/panic.c tests/fake/memory.c
unit += timer
unit-timer := src/core/timer.c src/core/softirq.c src/x86/spinlock.c tests/fake/cpu.c tests/fake/panic.c
unit += memmap
unit-memmap := src/boot/memmap.c
unit += multiboot
unit-multiboot := src/boot/multiboot.c src/boot/memmap.c
unit += acpi
unit-acpi := src/platform/acpi_tables.c
