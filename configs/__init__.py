"""Presets as TOML files. `default.toml` is generated from the settings dataclasses; it documents every setting."""
