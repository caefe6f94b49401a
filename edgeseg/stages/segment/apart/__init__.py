"""Scans that are opened and decoded in a process with limits, for input that nobody vouches for.

`scan` is what the caller holds, `inside` what works in the process, `facts` what goes between them, and `files` the
process for paths on the disk; the service has one of its own for uploads.
"""
