"""The commands of `python -m workbench`, one per file."""
