"""The plain-Python twin of the Monte Carlo kernel, which ships for `trialsim qualify`."""

from trialsim.qualification.twin import WORD as WORD
from trialsim.qualification.twin import Drifting as Drifting
from trialsim.qualification.twin import Thresholds as Thresholds
from trialsim.qualification.twin import key_of as key_of
from trialsim.qualification.twin import philox4x32 as philox4x32
from trialsim.qualification.twin import simulate_trial as simulate_trial
from trialsim.qualification.twin import threshold as threshold
from trialsim.qualification.twin import thresholds as thresholds
from trialsim.qualification.twin import words as words
