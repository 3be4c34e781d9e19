"""What the oracle tests share: a random scenario in both vocabularies."""

from trialsim.qualification.drawn import random_case as random_case
from trialsim.qualification.drawn import rates_of as rates_of
