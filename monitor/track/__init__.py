"""From outcomes to the states of checks and services: pure, deterministic, fed with instants."""
