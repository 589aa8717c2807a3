"""Changes inside OpenMMLab, each with its reason, one per file."""
