"""What results look like: tables, pages and plots. Results go in, text or pictures come out; it knows no stage."""
