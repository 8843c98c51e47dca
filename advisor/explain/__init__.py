"""Why this, why not that, and what would change the answer."""
