"""The nightly run that deletes what is older than its kind is kept."""
