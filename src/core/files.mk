# The files of src/core.
hv-src += src/core/cmdline.c
hv-src += src/core/crash.c
hv-src += src/core/crosscall.c
hv-src += src/core/hwerror.c
hv-src += src/core/keep.c
hv-src += src/core/log.c
hv-src += src/core/panic.c
hv-src += src/core/softirq.c
hv-src += src/core/speculation.c
hv-src += src/core/stages.c
hv-src += src/core/symbols.c
hv-src += src/core/time.c
hv-src += src/core/timer.c
hv-src += src/core/work.c src/core/tscsync.c
hv-src += src/core/watchdog.c
