"""Readers of tumour data sets, one per file, and the phantom that stands in for one."""
