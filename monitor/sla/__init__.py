"""What a contract makes of a time line: pure functions on plain values, no clock, no file, no database."""
