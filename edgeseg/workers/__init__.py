"""What must run in a process of its own: `python -m edgeseg.workers.<name>`; jobs and answers are JSON."""
