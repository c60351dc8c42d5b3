"""The daemon: life cycle and wiring."""
