"""What other monitors recorded, as a history in JSON Lines (see monitor.store.history_file)."""
