"""Why a trial went wrong: the troubles that its logs and samples show, and what cures them."""

from runner.diagnosis.cures import asked, choices, prescription, without_sick
from runner.diagnosis.diagnose import diagnose, locate
from runner.diagnosis.verdicts import findings

__all__ = [
    "asked",
    "choices",
    "diagnose",
    "findings",
    "locate",
    "prescription",
    "without_sick",
]
