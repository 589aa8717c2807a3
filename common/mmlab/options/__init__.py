"""What a user may choose and change of OpenMMLab: known to the parent, so nothing here imports torch or OpenMMLab."""
