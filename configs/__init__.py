"""Presets, as TOML files beside this one. `default.toml` is always read first."""
