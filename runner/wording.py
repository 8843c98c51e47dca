"""Numbers and names as people read them: the same in the terminal and in the report."""

from collections.abc import Sequence
from math import exp, floor, isfinite, log10

from knowledge.schema import Part


def figures(value: float, digits: int = 3) -> str:
    """So many significant digits, never as a power of ten: 21.3, 0.0412, 1230."""
    if not isfinite(value):
        return "∞" if value > 0 else "not a number"
    if value == 0:
        return "0"
    rounded = float(f"{value:.{digits}g}")  # first, since 9.999 becomes 10.0
    return f"{rounded:.{max(0, digits - 1 - floor(log10(abs(rounded))))}f}"


def span(low: float, high: float) -> str:
    """From low to high; where they are a hundredfold apart, the numbers would only mislead."""
    return f"{figures(low)}–{figures(high)}" if high < 100 * low else "too wide"


def gap(ratio: float) -> str:
    """How much larger one distance is than another."""
    if not isfinite(ratio):
        return "any size"
    return f"{figures(100 * (ratio - 1), 2)} %" if ratio < 2 else f"a factor of {figures(ratio, 2)}"


def below(difference: float) -> str:
    """The same, downwards, from a difference of logs: exp(-0.1) is 9.5 % below."""
    return f"{figures(100 * (1 - exp(-difference)), 2)} % below"


def chance(probability: float) -> str:
    """Whole percents; never certain, never impossible."""
    if probability < 0.01:
        return "< 1 %"
    return "> 99 %" if probability > 0.99 else f"{100 * probability:.0f} %"


def images(count: float) -> str:
    """2M, 400k, 1.5M, 950."""
    for size, letter in ((1_000_000, "M"), (1000, "k")):
        if count >= size:
            return f"{count / size:.3g}{letter}"
    return f"{count:g}"


def duration(seconds: float) -> str:
    """3 min 20 s; 1 h 5 min."""
    if seconds < 10:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    hours, minutes, rest = whole // 3600, whole % 3600 // 60, whole % 60
    if hours:
        return f"{hours} h {minutes} min" if minutes else f"{hours} h"
    if minutes:
        return f"{minutes} min {rest} s" if rest else f"{minutes} min"
    return f"{rest} s"


def listed(names: Sequence[str]) -> str:
    """a, b and c."""
    return " and ".join(filter(None, [", ".join(names[:-1]), *names[-1:]]))


def counted(number: int, thing: str) -> str:
    """1 seed, 3 seeds."""
    return f"{number} {thing}{'' if number == 1 else 's'}"


def part(each: Part) -> str:
    """resnet (width 64)."""
    settings = ", ".join(f"{name} {value}" for name, value in each.settings.items())
    return f"{each.name} ({settings})" if settings else each.name


def sentence(text: str) -> str:
    """What stands alone begins with a capital letter and ends with a full stop."""
    return text[:1].upper() + text[1:] + ("" if text.endswith(".") else ".")


def tiny(value: float) -> str:
    """A number that may be far below one."""
    return f"{value:.0e}" if 0 < abs(value) < 1e-3 else figures(value)
