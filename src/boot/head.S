/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From the boot loader's 32-bit protected mode to boot_main() in long mode, and
 * from a secondary CPU's start-up interrupt to ap_main().
 *
 * Both take the same road: the page tables boot_l4, which map the first 4 GiB
 * three times (where they are, at DIRECT_START and, as the image, at
 * IMAGE_START), and boot_gdt. A machine that lacks what is needed is told so
 * on the serial port, since no log exists yet.
 */
#include "boot/head.h"
#include "boot/multiboot.h"
#include "mem/layout.h"
#include "x86/desc.h"
#include "x86/msr.h"

#define PHYS(symbol) (symbol - IMAGE_START)

#define CPUID_EXT_LM  (1 << 29) /* leaf 0x80000001, EDX */
#define CPUID_EXT_NX  (1 << 20)

#define COM1          0x3f8
#define UART_LSR      5
#define LSR_THRE      0x20
#define VGA_TEXT      0xb8000

/* P, RW, A, D; and PS for what maps 2 MiB. */
#define TABLE_FLAGS   0x63
#define LARGE_FLAGS   0xe3

    .section .head, "ax"
    .balign 8
multiboot1_header:
    .long MULTIBOOT1_HEADER_MAGIC
    .long MULTIBOOT1_HEADER_FLAGS
    .long -(MULTIBOOT1_HEADER_MAGIC + MULTIBOOT1_HEADER_FLAGS)
    .long PHYS(multiboot1_header)
    .long PHYS(image_start)
    .long PHYS(bss_start)           /* end of what the file holds */
    .long PHYS(bss_end)
    .long PHYS(boot_entry)

    .balign 8
multiboot2_header:
    .long MULTIBOOT2_HEADER_MAGIC
    .long 0                         /* i386, protected mode */
    .long multiboot2_header_end - multiboot2_header
    .long -(MULTIBOOT2_HEADER_MAGIC + (multiboot2_header_end - multiboot2_header))

    .balign 8                       /* information request, optional each */
1:  .word 1, 1
    .long 2f - 1b
    .long MULTIBOOT2_CMDLINE, MULTIBOOT2_LOADER, MULTIBOOT2_MODULE, MULTIBOOT2_MMAP
    .long MULTIBOOT2_ACPI_OLD, MULTIBOOT2_ACPI_NEW, MULTIBOOT2_EFI_MMAP
2:
    .balign 8                       /* entry address */
    .word 3, 0
    .long 12
    .long PHYS(boot_entry)

    .balign 8                       /* modules on page boundaries */
    .word 6, 0
    .long 8

    .balign 8
    .word 0, 0
    .long 8
multiboot2_header_end:

    .section .init.text, "ax"

    .code32
    .globl boot_entry
boot_entry:
    cli
    cld
    mov $PHYS(boot_cpu_block) + CPU_LOCAL_OFFSET, %esp
    mov %eax, %esi                  /* kept through all checks: the magic */
    mov %ebx, %ebp                  /* and where the information is */

    mov $PHYS(bss_start), %edi
    mov $PHYS(bss_end), %ecx
    sub %edi, %ecx
    xor %eax, %eax
    rep stosb

    mov $PHYS(text_no_multiboot), %edi
    cmp $MULTIBOOT1_LOADER_MAGIC, %esi
    je 1f
    cmp $MULTIBOOT2_LOADER_MAGIC, %esi
    jne refuse
1:
    /* CPUID is there if the ID flag can be changed. */
    mov $PHYS(text_no_long_mode), %edi
    pushf
    pop %eax
    mov %eax, %ecx
    xor $EFLAGS_ID, %eax
    push %eax
    popf
    pushf
    pop %eax
    cmp %eax, %ecx
    je refuse
    mov $0x80000000, %eax
    cpuid
    cmp $0x80000001, %eax
    jb refuse
    mov $0x80000001, %eax
    cpuid
    test $CPUID_EXT_LM, %edx
    jz refuse
    mov $PHYS(text_no_nx), %edi
    test $CPUID_EXT_NX, %edx
    jz refuse

    /* The root's slots share one level-3 table: offset 0 of each is machine address 0. */
    mov $PHYS(boot_l3) + TABLE_FLAGS, %eax
    mov %eax, PHYS(boot_l4)
    mov %eax, PHYS(boot_l4) + 8 * ((IMAGE_START >> 39) & 511)
    mov %eax, PHYS(boot_l4) + 8 * ((DIRECT_START >> 39) & 511)
    mov $PHYS(boot_l2) + TABLE_FLAGS, %eax
    xor %ecx, %ecx
1:  mov %eax, PHYS(boot_l3)(, %ecx, 8)
    add $PAGE_SIZE, %eax
    inc %ecx
    cmp $4, %ecx
    jb 1b
    mov $LARGE_FLAGS, %eax
    xor %ecx, %ecx
1:  mov %eax, PHYS(boot_l2)(, %ecx, 8)
    add $0x200000, %eax
    inc %ecx
    cmp $4 * 512, %ecx
    jb 1b

    lgdtl PHYS(boot_gdtr)
    ljmpl $SEL_BOOT_CS32, $PHYS(1f)
1:  mov $PHYS(boot_cpu_start64), %edi
    jmp enter_long_mode

/* Each secondary CPU comes here from its trampoline, without a stack. */
    .globl ap_entry32
ap_entry32:
    mov $PHYS(ap_start64), %edi
    /* fall through */

/* To 64-bit code at physical address EDI, which boot_l4 maps there too. Changes EAX, ECX, EDX. */
enter_long_mode:
    mov $SEL_BOOT_DS, %eax
    mov %eax, %ds
    mov %eax, %es
    mov %eax, %ss
    mov $CR4_PAE, %eax
    mov %eax, %cr4
    mov $PHYS(boot_l4), %eax
    mov %eax, %cr3
    mov $MSR_EFER, %ecx
    rdmsr
    or $(EFER_LME | EFER_NXE), %eax
    wrmsr
    mov $(CR0_PG | CR0_WP | CR0_NE | CR0_ET | CR0_MP | CR0_PE), %eax
    mov %eax, %cr0
    ljmpl $SEL_BOOT_CS64, $PHYS(1f)

    .code64
1:  movabs $IMAGE_START, %rax
    mov %edi, %edi
    add %rax, %rdi
    jmp *%rdi

boot_cpu_start64:
    lea boot_cpu_block + CPU_LOCAL_OFFSET(%rip), %rsp
    mov %esi, %edi
    mov %ebp, %esi
    xor %ebp, %ebp
    call boot_main
    ud2

/*
 * A secondary CPU finds its place among ap_apic_id[] by its APIC id; with the
 * place goes a stack block in the CPU area. One that is not expected halts.
 */
ap_start64:
    mov ap_root(%rip), %rax
    mov %rax, %cr3
    xor %eax, %eax
    cpuid
    cmp $0xb, %eax
    jb 1f
    mov $0xb, %eax
    xor %ecx, %ecx
    cpuid                           /* EDX: x2APIC id; BX is 0 if the leaf is empty */
    test %bx, %bx
    jnz 2f
1:  mov $1, %eax
    cpuid
    mov %ebx, %edx
    shr $24, %edx
2:  lea ap_apic_id(%rip), %rsi
    mov $1, %edi
3:  cmp %edx, (%rsi, %rdi, 4)
    je 4f
    inc %edi
    cmp $NR_CPUS_MAX, %edi
    jb 3b
5:  cli
    hlt
    jmp 5b
4:  imul $CPU_AREA_STRIDE, %rdi, %rax
    movabs $(CPU_AREA_START + CPU_LOCAL_OFFSET), %rsp
    add %rax, %rsp
    xor %ebp, %ebp
    call ap_main
    ud2

/* Prints the text at EDI on COM1 (115200,8n1) and the VGA screen, and halts. */
    .code32
refuse:
    mov $PHYS(uart_setup), %esi
    mov $(uart_setup_end - uart_setup) / 4, %ecx
1:  mov (%esi), %eax
    mov %eax, %edx
    shr $16, %edx
    out %al, %dx
    add $4, %esi
    loop 1b
    mov %edi, %esi
    mov $VGA_TEXT, %edi
2:  lodsb
    test %al, %al
    jz 5f
    mov $0x07, %ah
    stosw
    mov %al, %bl
    mov $0x100000, %ecx             /* no port, or a stuck one: go on */
    mov $COM1 + UART_LSR, %dx
3:  in %dx, %al
    test $LSR_THRE, %al
    jnz 4f
    loop 3b
4:  mov %bl, %al
    mov $COM1, %dx
    out %al, %dx
    jmp 2b
5:  cli
    hlt
    jmp 5b

    .balign 4
uart_setup:                         /* value, port */
    .word 0x00, COM1 + 1            /* no interrupts */
    .word 0x80, COM1 + 3            /* divisor latch: */
    .word 0x01, COM1
    .word 0x00, COM1 + 1
    .word 0x03, COM1 + 3            /* 8n1 */
    .word 0x07, COM1 + 2            /* FIFO on and empty */
uart_setup_end:

#define REFUSAL(text) .ascii "\r\n(hv) cannot start: "; .ascii text; .asciz "\r\n"
text_no_multiboot:
    REFUSAL("not started by a multiboot loader: found another register EAX, expected multiboot 1 or 2")
text_no_long_mode:
    REFUSAL("this processor has no long mode: expected a 64-bit x86 processor")
text_no_nx:
    REFUSAL("this processor has no NX (no-execute pages), or the firmware has switched it off: expected NX")

    .balign 8
    .globl boot_gdt
boot_gdt:
    .quad 0
    .quad 0x00cf9b000000ffff        /* 32-bit code */
    .quad 0x00cf93000000ffff        /* data */
    .quad 0x00af9b000000ffff        /* 64-bit code */
boot_gdtr:
    .word BOOT_GDT_LIMIT
    .long PHYS(boot_gdt)

/* The boot CPU's stack block, cleared above; the linker script aligns it. */
    .section .bss.cpu_block, "aw", @nobits
    .globl boot_cpu_block
boot_cpu_block:
    .skip CPU_BLOCK_SIZE

    .section .bss.page_aligned, "aw", @nobits
    .balign PAGE_SIZE
    .globl boot_l4
boot_l4:
    .skip PAGE_SIZE
boot_l3:
    .skip PAGE_SIZE
boot_l2:
    .skip 4 * PAGE_SIZE

    .section .note.GNU-stack, "", @progbits
