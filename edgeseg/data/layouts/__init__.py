"""How data sets with reference masks lie in folders: one reader per file, and the table that names them."""
