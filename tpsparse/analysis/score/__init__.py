"""Where a system loses its points, from saved records: predictions replaced by ground truth, losses split, confusions.

``records`` pairs predictions with annotations; ``replacing`` makes the rows of the bottleneck analysis; ``diagnosis``
evaluates them all in one pass and ``points`` splits what is lost; ``figures``, ``page`` and ``report`` show it.
"""
