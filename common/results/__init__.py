"""Results that an image returns to the platform, one module per file."""
