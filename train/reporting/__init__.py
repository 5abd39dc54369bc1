"""Run folders: written, read and resumed; report.html, model card, tables."""
