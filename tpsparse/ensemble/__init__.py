"""Ensembles of saved parses: any number of systems, or of one system's action scores, as one record a video.

A video's action scores are the weighted mean of its members' probabilities, with weights that are given, equal, or
fitted on held-out videos. Where systems found the same persons and parts their state scores are averaged as well;
persons and part boxes come from the first member. ``members`` says what votes, ``fitting`` finds weights, ``records``
combines one video, ``combination`` all of a split.
"""

from .combination import Combination, Outcome, write_recipe
from .fitting import Votes, fit_weights, held_out_votes, refuse_overlap
from .members import Member, Videos, read_members
from .records import combine_records, mix_states, same_people, vote

__all__ = [
    "Combination",
    "Member",
    "Outcome",
    "Videos",
    "Votes",
    "combine_records",
    "fit_weights",
    "held_out_votes",
    "mix_states",
    "read_members",
    "refuse_overlap",
    "same_people",
    "vote",
    "write_recipe",
]
