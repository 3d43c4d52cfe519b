"""What the names of parts, states and objects mean to a language model: one file of vectors a vocabulary and model."""

from .encoder import encode, vectors_of
from .models import ModelIdentity
from .vectors import LanguageVectors
from .words import spoken

__all__ = ["LanguageVectors", "ModelIdentity", "encode", "spoken", "vectors_of"]
