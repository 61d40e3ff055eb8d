"""What a file says, found out in a process of its own: core/catalogs/imports/child_process.py starts it."""
