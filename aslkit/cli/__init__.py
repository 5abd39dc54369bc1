"""The `aslkit` command: one module per sub-command. Parses options, calls a stage, prints the result; no logic."""
