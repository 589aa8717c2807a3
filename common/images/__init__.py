"""Images: decode whatever the platform stores, fit it to a model's input, stream it in batches."""
