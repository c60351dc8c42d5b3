"""The facts in SQLite: their schema, the one writer, the readers."""
