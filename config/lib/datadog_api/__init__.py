"""What all views under /api/v2/ share: they answer as the public API does."""
