"""What the ledger refuses."""


class LedgerError(Exception):
    """The request cannot be carried out; the message says why."""
