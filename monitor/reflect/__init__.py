"""The other end of a measured path: answers test packets and calls of other probe hosts."""
