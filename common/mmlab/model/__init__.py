"""A detector of OpenMMLab: built, loaded, and made to predict."""
