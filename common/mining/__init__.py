"""Mining: a score for every unlabelled image, so that people label the most valuable ones first.

One file an algorithm, pure functions on arrays; `registry.ALGORITHMS` lists them and says what each one needs from the
engine, `algorithm.importance` turns an algorithm and the evidence about an image into the number that is written.
"""
