# The files of src/sched.
hv-src += src/sched/sched.c src/sched/fair.c src/sched/null.c src/sched/group.c src/sched/pool.c
