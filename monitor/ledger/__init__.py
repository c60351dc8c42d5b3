"""The ledger: from time lines and terms to figures, frozen months and entitlements."""
