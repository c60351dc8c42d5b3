"""Hostile messages for every parser of the probers: ``python -m tests.fuzzing`` mutates a million of them."""
