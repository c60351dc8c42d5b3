"""Asking one target once: a file (or folder) for each protocol, usable without the rest of Ringback."""
