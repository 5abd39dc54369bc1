"""What commands print: one function per result, rich tables in, text out."""
