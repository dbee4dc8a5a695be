"""Rule 13: an ask or a limit, and any figure from which it follows, is for its owner and the hub only."""
