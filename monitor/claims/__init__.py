"""From a frozen month to the documents that claim its credit; reads, and never writes to the store."""
