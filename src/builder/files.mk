# The files of src/builder.
