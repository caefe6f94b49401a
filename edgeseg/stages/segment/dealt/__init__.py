"""Patients dealt to several workers, on this machine or on Ray: what one is told, what it does, and what it answers."""
