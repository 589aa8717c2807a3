"""Active learning on a data set whose labels are known, to see what mining is worth."""
