"""Small files of formats whose own libraries are large or absent, made by hand."""
