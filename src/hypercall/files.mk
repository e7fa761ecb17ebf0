# The files of src/hypercall.
