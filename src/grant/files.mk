# The files of src/grant.
