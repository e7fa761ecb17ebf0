# The files of src/sched.
hv-src += src/sched/sched.c
