"""What several mining algorithms measure: probabilities, pixels, regions, superpixels."""
