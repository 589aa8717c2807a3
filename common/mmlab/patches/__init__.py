"""What is changed inside OpenMMLab so that it works here, one change per file."""
