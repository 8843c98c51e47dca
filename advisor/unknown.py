"""What nobody said, and what would change if somebody did."""

from typing import TYPE_CHECKING

from advisor.cutting import holds
from advisor.facts import Facts, behind
from knowledge.schema import Rule

if TYPE_CHECKING:
    from advisor.advise import Advice


def unknown(advice: "Advice") -> tuple[str, ...]:
    """Questions without an answer on which some of what is left hangs."""
    silent: set[str] = set()
    assumed = {each.id for each in advice.library.questions.values() if each.default}
    for rule in advice.library.rules:
        facts = rule.when.keys() - advice.facts.keys() - assumed
        if facts <= silent or is_wish(rule) or not may_hold(rule, advice.facts):
            continue
        if rule.refuses or tells_apart(rule, advice):
            silent |= facts
    questions = {question for fact in silent for question in behind(fact)}
    return tuple(sorted(questions - advice.answers.keys()))


def tells_apart(rule: Rule, advice: "Advice") -> bool:
    """Whether it would cut. Who is compared on a data set shows when one is named."""
    if rule.keeps == "compared-on-dataset":
        return len(advice.gans_left) > 1
    return advice.cut(rule, advice.left) != advice.left


def is_wish(rule: Rule) -> bool:
    """A hard rule past coherence does what somebody wants, such as a loss of one family."""
    return rule.layer == "hard" and rule.stage != "coherence"


def may_hold(rule: Rule, facts: Facts) -> bool:
    """Nothing that is known keeps it from holding."""
    settled = {name: wanted for name, wanted in rule.when.items() if name in facts}
    return holds(rule.model_copy(update={"when": settled}), facts)
