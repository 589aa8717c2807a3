"""How a task becomes processes and an exit status: start.py, the parent, and its ranks."""
