"""What is to be watched and what was agreed about it: YAML files to values, with every mistake at its line."""
