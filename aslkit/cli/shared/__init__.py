"""Options, option conflicts and shell completion that several commands use."""
