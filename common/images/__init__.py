"""Images: decode what the platform stores, fit it to a model's input, read ahead in threads."""
