# The files of src/domain.
hv-src += src/domain/domain.c
hv-src += src/domain/vcpu.c
hv-src += src/domain/memory.c
hv-src += src/domain/shared.c
hv-src += src/domain/vtimer.c src/domain/pcpu.c
hv-src += src/domain/report.c
hv-src += src/domain/rights.c
