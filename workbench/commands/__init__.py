"""The commands of `python -m workbench`, one a file."""
