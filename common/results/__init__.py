"""What an image hands back to the platform, one module a file."""
