"""What must run in a process of its own: `python -m edgeseg.workers.<name>`, JSON in on stdin, JSON out on stdout."""
