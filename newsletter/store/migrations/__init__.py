"""How the schema came to be what it is: one file in versions/ for each step. Only Alembic imports these."""
