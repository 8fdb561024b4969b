"""How it goes out, and how it is taken up again."""
