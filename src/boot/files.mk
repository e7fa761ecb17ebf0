# The files of src/boot.
