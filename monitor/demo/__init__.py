"""What ``ringback demo`` shows: a lab on loopback, the real agent on it, and a story that is told."""
