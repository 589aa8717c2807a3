"""A configuration of OpenMMLab, fitted to one task: data, classes, image size, length of the run."""
