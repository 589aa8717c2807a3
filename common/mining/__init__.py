"""Mining: a score for every unlabelled image, so that people label the most valuable ones first.

One file per algorithm, named as `mining_algorithm` names it: pure functions on arrays, with what several of them need
in `measures`. `registry.ALGORITHMS` lists them with their needs, and `algorithm.importance` computes the written score
of an image from its evidence.
"""
