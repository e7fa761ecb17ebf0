# The files of src/sched.
