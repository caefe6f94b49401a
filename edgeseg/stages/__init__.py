"""What edgeseg does, one stage per file: a function from specs and data to a frozen result."""
