"""The loop over the candidates: images to records that survive a kill, and records to results."""
