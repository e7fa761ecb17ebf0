# The files of src/hypercall.
hv-src += src/hypercall/table.c
hv-src += src/hypercall/multicall.c
hv-src += src/hypercall/sched.c
hv-src += src/hypercall/event.c
hv-src += src/hypercall/vcpu.c
hv-src += src/hypercall/memory.c
hv-src += src/hypercall/reservation.c
hv-src += src/hypercall/exchange.c
hv-src += src/hypercall/version.c
hv-src += src/hypercall/console.c
hv-src += src/hypercall/physdev.c
hv-src += src/hypercall/platform.c
hv-src += src/hypercall/misc.c src/hypercall/refuse.c
hv-src += src/hypercall/mm.c src/hypercall/cpu.c
hv-src += src/hypercall/state.c
