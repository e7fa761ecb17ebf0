/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The operator's console devices: a 16550 serial port (National Semiconductor
 * PC16550D) and, to write on, the VGA text screen.
 *
 * Output is polled, a FIFO's worth at a time, and works in any state of the
 * machine. A port that is absent or stuck swallows what is written. Input comes
 * by interrupt, or where the port's interrupt cannot be routed by a timer.
 */
#include "abi/errno.h"
#include "core/cmdline.h"
#include "core/log.h"
#include "core/timer.h"
#include "lib/parse.h"
#include "platform/irqchips.h"
#include "platform/platform.h"
#include "platform/vga.h"
#include "x86/cpu.h"
#include "x86/desc.h"
#include "x86/insn.h"
#include "x86/irq.h"

/* Registers, from the port's base. */
enum { DATA = 0, IER = 1, FCR = 2, LCR = 3, MCR = 4, LSR = 5, SCR = 7, DIVISOR_LOW = 0, DIVISOR_HIGH = 1 };

#define IER_RECEIVED   0x01
#define FCR_ON_CLEAR   0x07 /* FIFOs on and empty, an interrupt for each byte */
#define LCR_DIVISOR    0x80
#define MCR_DTR_RTS    0x03
#define MCR_OUT2       0x08 /* lets the interrupt through on a PC */
#define LSR_DATA       0x01
#define LSR_THRE       0x20

#define FIFO_SIZE      16
#define CLOCK_HZ       1843200
#define READY_POLLS    1000000
#define RECEIVE_MAX    4096
#define INPUT_POLL     MILLISECS(10)

static struct {
    bool present;
    uint16_t base;
    uint8_t irq, line_control;
    uint32_t baud, clock_hz;    /* baud 0: as the firmware set it */
} port;

static char last_written;
static void (*input)(char c);
static struct timer input_timer;

static uint8_t reg_read(unsigned int reg) { return inb((uint16_t)(port.base + reg)); }
static void reg_write(unsigned int reg, uint8_t v) { outb((uint16_t)(port.base + reg), v); }

/* A port that never becomes ready is given up. */
static void wait_ready(void)
{
    for (unsigned int i = 0; i < READY_POLLS; i++) {
        if (reg_read(LSR) & LSR_THRE)
            return;
        cpu_relax();
    }
    port.present = false;
}

static void write_byte(char c, unsigned int *room)
{
    if (*room == 0) {
        wait_ready();
        *room = FIFO_SIZE;
    }
    if (!port.present)
        return;
    reg_write(DATA, (uint8_t)c);
    (*room)--;
}

/* The log's sink; \n becomes \r\n unless it is already. */
static void uart_write(const char *s, size_t n)
{
    unsigned int room = 0;

    for (size_t i = 0; i < n; i++) {
        if (s[i] == '\n' && last_written != '\r')
            write_byte('\r', &room);
        write_byte(s[i], &room);
        last_written = s[i];
    }
}

/* The part of *text up to the next comma, which is taken off with it. */
static struct span take_field(struct span *text)
{
    const char *comma = memchr(text->at, ',', text->len);
    struct span field = {text->at, comma ? (size_t)(comma - text->at) : text->len};
    size_t taken = field.len + (comma ? 1 : 0);

    *text = (struct span){text->at + taken, text->len - taken};
    return field;
}

/* BAUD[/CLOCK] or "auto". */
static bool parse_baud(struct span text)
{
    uint64_t baud, clock = CLOCK_HZ;

    if (text.len == 0)
        return true;
    if (span_equals(text, "auto")) {
        port.baud = 0;
        return true;
    }
    if (parse_u64_prefix(&text, &baud))
        return false;
    if (text.len > 0) {
        text.at++;
        text.len--;
        if (text.at[-1] != '/' || parse_u64(text, &clock))
            return false;
    }
    if (clock > UINT32_MAX || baud == 0 || baud > clock / 16 || clock / (16 * baud) > 0xffff)
        return false;
    port.baud = (uint32_t)baud;
    port.clock_hz = (uint32_t)clock;
    return true;
}

/* Data bits, parity and stop bits, "8n1", as the line control register has them. */
static bool parse_frame(struct span text)
{
    static const char parities[] = "noems"; /* none, odd, even, mark, space */
    static const uint8_t parity_bits[] = {0x00, 0x08, 0x18, 0x28, 0x38};
    const char *parity;

    if (text.len == 0)
        return true;
    if (text.len != 3 || text.at[0] < '5' || text.at[0] > '8' || text.at[2] < '1' || text.at[2] > '2')
        return false;
    parity = memchr(parities, text.at[1], sizeof(parities) - 1);
    if (!parity)
        return false;
    port.line_control =
        (uint8_t)((text.at[0] - '5') | ((text.at[2] - '1') << 2) | parity_bits[parity - parities]);
    return true;
}

static bool parse_number(struct span text, uint64_t max, uint64_t *value)
{
    uint64_t v;

    if (text.len == 0)
        return true;
    if (parse_u64(text, &v) || v > max)
        return false;
    *value = v;
    return true;
}

/* The value of com1= or com2=, in Xen's form: BAUD[/CLOCK],FRAME,PORT,IRQ; what is not said stays. */
static bool parse_port(struct span text)
{
    uint64_t base = port.base, irq = port.irq;

    if (!parse_baud(take_field(&text)) || !parse_frame(take_field(&text)) ||
        !parse_number(take_field(&text), 0xfff8, &base) || !parse_number(take_field(&text), 15, &irq) ||
        text.len > 0)
        return false;
    port.base = (uint16_t)base;
    port.irq = (uint8_t)irq;
    return true;
}

/* Is there a chip? Its scratch register keeps what is written; where nothing is, all ones are read. */
static bool port_answers(void)
{
    reg_write(SCR, 0x5a);
    if (reg_read(SCR) != 0x5a)
        return false;
    reg_write(SCR, 0xa5);
    return reg_read(SCR) == 0xa5;
}

static void open_port(const char *name, uint16_t base, uint8_t irq)
{
    const char *value = cmdline_get(name);
    bool good;

    port.base = base;
    port.irq = irq;
    port.line_control = 0x03; /* 8n1 */
    port.baud = 115200;
    port.clock_hz = CLOCK_HZ;
    good = !value || parse_port(span_of(value));
    if (port_answers()) {
        reg_write(IER, 0);
        if (port.baud != 0) {
            uint32_t divisor = port.clock_hz / (16 * port.baud);

            reg_write(LCR, (uint8_t)(port.line_control | LCR_DIVISOR));
            reg_write(DIVISOR_LOW, (uint8_t)divisor);
            reg_write(DIVISOR_HIGH, (uint8_t)(divisor >> 8));
        }
        reg_write(LCR, port.line_control);
        reg_write(FCR, FCR_ON_CLEAR);
        reg_write(MCR, MCR_DTR_RTS);
        port.present = true;
        log_add_sink(uart_write);
    }
    if (!good)
        log_always("option %s: bad value: found %s, expected BAUD,8n1[,PORT[,IRQ]]", name, value);
}

void uart_init(void)
{
    const char *value = cmdline_get("console");
    struct span list = span_of(value ? value : "com1");
    bool wrong = false;

    while (list.len > 0) {
        struct span device = take_field(&list);

        if (span_equals(device, "com1") && !port.base)
            open_port("com1", 0x3f8, 4);
        else if (span_equals(device, "com2") && !port.base)
            open_port("com2", 0x2f8, 3);
        else if (span_equals(device, "vga"))
            vga_wanted = true;
        else if (!span_equals(device, "none"))
            wrong = true;
    }
    if (wrong)
        log_always("option console: bad value: found %s, expected one of com1 and com2, vga, none", value);
}

/* All that has come: the interrupt is an edge, so nothing may be left. The bound is for a broken chip. */
static void receive_all(void)
{
    for (unsigned int i = 0; i < RECEIVE_MAX && (reg_read(LSR) & LSR_DATA); i++)
        input((char)reg_read(DATA));
}

static void uart_interrupt(unsigned int vector)
{
    receive_all();
}

static void poll_input(void *data)
{
    receive_all();
    timer_set(&input_timer, stime_now() + INPUT_POLL);
}

uint16_t uart_port(void)
{
    return port.present ? port.base : 0;
}

void uart_start_input(void (*receive)(char c))
{
    if (!port.present)
        return;
    input = receive;
    irq_set_handler(VEC_CONSOLE, uart_interrupt);
    if (irqchips_route_isa(port.irq, VEC_CONSOLE) == 0) {
        reg_write(MCR, MCR_DTR_RTS | MCR_OUT2);
        reg_write(IER, IER_RECEIVED);
        receive_all(); /* what came before would raise no edge */
    } else {
        timer_init(&input_timer, poll_input, NULL, cpu_id());
        timer_set(&input_timer, stime_now() + INPUT_POLL);
    }
}
