"""Why a trial went wrong: the troubles that its logs and samples show, and what cures them."""

from runner.diagnosis.cures import Cure, Prescription, asked, choices, prescription, without_sick
from runner.diagnosis.diagnose import Diagnosed, Diagnosis, diagnose, locate
from runner.diagnosis.verdicts import TROUBLES, Figure, Finding, findings

__all__ = [
    "TROUBLES",
    "Cure",
    "Diagnosed",
    "Diagnosis",
    "Figure",
    "Finding",
    "Prescription",
    "asked",
    "choices",
    "diagnose",
    "findings",
    "locate",
    "prescription",
    "without_sick",
]
