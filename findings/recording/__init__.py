"""How what a source reports becomes a row."""
