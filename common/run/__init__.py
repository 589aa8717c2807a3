"""Processes and exit status of a task: start.py, the parent, and its ranks."""
