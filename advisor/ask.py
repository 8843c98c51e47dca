"""The questionnaire as a conversation, line by line: it needs no cursor, no colour and no screen."""

import os
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping
from textwrap import wrap
from typing import Literal, NamedTuple, TextIO

from advisor.advise import Advice
from advisor.profile import answer as checked_answer
from advisor.profile import names as dataset_names
from advisor.questionnaire import Answers, Consequence, Questionnaire, funnel, shortlist
from advisor.recommendation import Answer
from advisor.wording import all_named
from knowledge.schema import Question, Stage

WIDEST, INDENT = 100, "   "
KEYS = """\
Answer with a number, the beginning of a word, or Enter for what stands in brackets.
?  why it is asked, and what hangs on it     s  I don't know
b  back to the question before               q  keep the answers and leave"""
LEFT_AFTER: dict[Stage, str] = {
    "coherence": "coherent",
    "practice": "recommended",
    "documented": "documented",
    "network": "after the networks",
    "loss": "after the losses",
    "regularization": "after regularization",
    "divergence": "after divergences",
    "handful": "one of each kind",
}
PLAIN = str.maketrans({"→": ">", "–": "-", "—": "-", "…": ".", "×": "x", "’": "'"})
Told = Literal["?", "b", "s", "q"]


class WrongAnswer(ValueError):
    """An answer in a pipe that cannot be used: nobody is there to be asked again."""


class NobodyAnswers(Exception):
    """The input was empty."""


class Terminal:
    """Where the questions go, and where the answers come from."""

    def __init__(self, source: TextIO, target: TextIO) -> None:
        self.source, self.target = source, target
        self.interactive = source.isatty()
        columns = shutil.get_terminal_size((80, 24)).columns
        self.width = max(min(columns, WIDEST), 20)
        self.bold = (
            target.isatty() and os.environ.get("TERM") != "dumb" and not os.environ.get("NO_COLOR")
        )
        self.lines = 0  # of answers, so far

    def say(
        self, text: str = "", indent: str = "", hanging: str = "", *, bold: bool = False
    ) -> None:
        """Wrapped at the terminal's width; indented lines below the first one by `hanging`."""
        lines = wrap(
            text,
            self.width,
            initial_indent=indent,
            subsequent_indent=indent + hanging,
            break_long_words=False,
            break_on_hyphens=False,
        )
        for line in lines or [""]:
            self.put(f"\033[1m{line}\033[0m\n" if bold and self.bold else f"{line}\n")

    def put(self, text: str) -> None:
        if "utf" not in (self.target.encoding or "").lower():
            text = text.translate(PLAIN)
        self.target.write(text)
        self.target.flush()

    def hear(self, prompt: str) -> str:
        """One line. Raises EOFError at the end of the input."""
        self.put(prompt)
        line = self.source.readline()
        if not self.interactive:
            self.put(line if line.endswith("\n") else f"{line}\n")  # nobody typed it there
        if not line:
            raise EOFError
        self.lines += 1
        return line.strip()


class End(NamedTuple):
    """How the conversation ended."""

    answers: Answers
    finished: bool  # False: somebody left


def ask(
    questionnaire: Questionnaire,
    answers: Answers,
    terminal: Terminal,
    keep: Callable[[Answers], None],
) -> End:
    """Ask until nothing hangs on any question, or somebody leaves. `keep` is told every answer.

    At the end of a pipe the other questions stay open. Raises WrongAnswer in a pipe, and
    NobodyAnswers where the input holds nothing at all.
    """
    for line in KEYS.splitlines():
        terminal.say(line) if len(line) > terminal.width else terminal.put(f"{line}\n")
    terminal.say()
    terminal.say(funnel_line(Advice(answers.given, questionnaire.library)))
    told: set[str] = set()
    while True:
        turn = questionnaire.turn(answers)
        passed_over = [each.id for each in turn.passed_over if each.id not in told]
        if passed_over:
            told.update(passed_over)
            terminal.say()
            terminal.say(f"Not asked, for nothing hangs on it: {', '.join(passed_over)}.")
        if turn.question is None:
            return End(answers, finished=True)
        try:
            pose(questionnaire, turn.question, turn.still, answers, terminal)
            reply = replied(questionnaire, turn.question, answers, terminal)
        except EOFError:
            if terminal.interactive:
                return End(answers, finished=False)
            if not terminal.lines:
                raise NobodyAnswers from None
            terminal.say("The input ends here; the other questions stay open.")
            return End(answers, finished=True)
        if reply == "q":
            return End(answers, finished=False)
        if reply == "b":
            if (before := answers.back()) is None:
                terminal.say("This is the first question.", INDENT)
            else:
                answers = before
            continue
        given = None if reply == "s" else reply
        after = answers.say(turn.question.id, given)
        tell_change(questionnaire, turn.question, answers, after, terminal)
        answers = after
        keep(answers)


# A question --------------------------------------------------------------------------------------


def pose(
    questionnaire: Questionnaire,
    question: Question,
    still: int,
    answers: Answers,
    terminal: Terminal,
) -> None:
    terminal.say()
    more = f"at most {still - 1} more" if still > 1 else "the last one"
    terminal.say(f"{len(answers.trail) + 1}. {question.asks} ({more})", bold=True)
    usual = questionnaire.suggestion(question, answers)
    chosen = usual if isinstance(usual, tuple) else (usual,)
    longest = max((len(choice.id) for choice in question.choices), default=0)
    for number, choice in enumerate(question.choices, start=1):
        mark = " (as before)" if question.id in answers.before else " (usual)"
        says = f"{number:>2}  {choice.id:<{longest}}  {choice.says}"
        says += mark if choice.id in chosen else ""
        terminal.say(says, INDENT, " " * (longest + 6))
    if question.answer == "choices":
        terminal.say("Several are possible: 1,3", INDENT)
    elif question.answer == "dataset":
        terminal.say(", ".join(sorted(dataset_names(questionnaire.library))), INDENT)
    elif question.answer == "number":
        terminal.say(f"A number of {question.unit}; 2k stands for 2,000", INDENT)


def replied(
    questionnaire: Questionnaire, question: Question, answers: Answers, terminal: Terminal
) -> Answer | Literal["b", "s", "q"]:
    """A key or an answer in its canonical form; asks again until there is one."""
    usual = questionnaire.suggestion(question, answers)
    enter = spoken(usual) if usual is not None else unanswered(questionnaire, question, answers)
    while True:
        line = terminal.hear(f"{INDENT}[{enter}] > ")
        match line.lower():
            case "":
                return "s" if usual is None else usual
            case "b" | "back":
                return "b"
            case "s" | "skip":
                return "s"
            case "q" | "quit":
                return "q"
            case "?" | "h" | "help":
                explain(questionnaire, question, answers, terminal)
                continue
        try:
            return understood(question, line, questionnaire)
        except ValueError as error:
            if not terminal.interactive:
                raise WrongAnswer(f"answer {terminal.lines}, {line!r}: {error}") from None
            terminal.say(f"{error}.", INDENT)


def unanswered(questionnaire: Questionnaire, question: Question, answers: Answers) -> str:
    published = questionnaire.published(question, answers)
    if published is None:
        return "I don't know"
    return f"{spoken(published)}, as published for {spoken(answers.given['dataset'])}"


def understood(question: Question, line: str, questionnaire: Questionnaire) -> Answer:
    """Raises ValueError with what is allowed."""
    given: object = line
    if question.answer == "choice":
        given = choice_meant(question, line)
    elif question.answer == "choices":
        words = line.replace(",", " ").split()
        given = [choice_meant(question, word) for word in words] or line
    elif question.answer == "number":
        given = number_meant(line)
    return checked_answer(question, given, questionnaire.library)


def choice_meant(question: Question, word: str) -> str:
    """By number, whole or by its beginning."""
    ids = [choice.id for choice in question.choices]
    word = word.lower()
    if word.isdecimal():
        if not 1 <= int(word) <= len(ids):
            raise ValueError(f"{question.id}: the choices are 1 to {len(ids)}")
        return ids[int(word) - 1]
    meant = [each for each in ids if each.startswith(word)]
    if word in ids or not meant:
        return word
    if len(meant) > 1:
        raise ValueError(f"{question.id}: {word!r} could be {' or '.join(meant)}")
    return meant[0]


def number_meant(line: str) -> object:
    """60,000 or 60 000 or 60k; what is no number is returned as it is."""
    text = line.replace(",", "").replace("_", "").replace(" ", "").lower()
    unit = {"k": 1e3, "m": 1e6}.get(text[-1:], 1)
    try:
        return float(text.rstrip("km") if unit > 1 else text) * unit
    except ValueError:
        return line


def spoken(given: Answer) -> str:
    if isinstance(given, tuple):
        return ", ".join(given)
    return f"{given:,}" if isinstance(given, int | float) else str(given)


# Why it is asked ---------------------------------------------------------------------------------


def explain(
    questionnaire: Questionnaire, question: Question, answers: Answers, terminal: Terminal
) -> None:
    """Why we ask, and which candidates hang on the answer."""
    terminal.say(question.why, INDENT)
    if question.unlocks:
        terminal.say(f"What hangs on it: {question.unlocks}", INDENT)
    names = questionnaire.library.names
    now = shortlist(Advice(answers.given, questionnaire.library))
    terminal.say(f"With it left open: {all_named(now, names) or 'no candidate'}", INDENT, "  ")
    consequences = list(questionnaire.consequences(question, answers))
    said = [(outcome(each, names), each.says) for each in consequences]
    differing = [(then, ways) for then, ways in said if then != AS_IT_IS]
    for then in dict(differing):
        alike = ", ".join(ways for other, ways in differing if other == then)
        terminal.say(f"{alike}: {then}", INDENT, "  ")
    if not differing:
        terminal.say("By itself no answer changes that; together with later ones it may.", INDENT)
    elif len(differing) < len(consequences):
        terminal.say("Any other answer leaves it as it is.", INDENT)


AS_IT_IS = "as it is"


def outcome(each: Consequence, names: Mapping[str, str]) -> str:
    if each.refused:
        return "not a GAN problem"
    if not each.shortlist:
        return "no candidate is left"
    if not each.joins and not each.leaves:
        order = all_named(each.shortlist, names)
        return f"the order is {order}" if each.reordered else AS_IT_IS
    if len(each.shortlist) > len(each.joins):  # somebody stays
        return changes(each.joins, each.leaves, names)
    return f"instead {all_named(each.shortlist, names)}"


def changes(joins: Iterable[str], leaves: Iterable[str], names: Mapping[str, str]) -> str:
    said: Iterator[str] = (
        f"{all_named(arms, names)} {verb}"
        for arms, verb in ((joins, "in"), (leaves, "out"))
        if arms
    )
    return "; ".join(said)


# What an answer did ------------------------------------------------------------------------------


def tell_change(
    questionnaire: Questionnaire,
    question: Question,
    before: Answers,
    after: Answers,
    terminal: Terminal,
) -> None:
    """The funnel where it is another one now, and what came and went."""
    given = after.given.get(question.id)
    says = unanswered(questionnaire, question, after) if given is None else spoken(given)
    terminal.say(f"{question.id}: {says}", INDENT)
    old, new = (Advice(each.given, questionnaire.library) for each in (before, after))
    if funnel_line(new) != funnel_line(old):
        terminal.say(funnel_line(new), INDENT)
    was, now = shortlist(old), shortlist(new)
    joins, leaves = (
        [each for each in now if each not in was],
        [each for each in was if each not in now],
    )
    names = questionnaire.library.names
    if joins or leaves:
        terminal.say(f"Shortlist: {all_named(now, names) or 'empty'}", INDENT, "  ")
    if was and now and (joins or leaves):
        terminal.say(f"({changes(joins, leaves, names)})", INDENT, "  ")


def funnel_line(advice: Advice) -> str:
    if advice.refused_by:
        return "This is not a GAN problem."
    everything = advice.everything
    beside = f" and {len(everything.beside)} systems" if everything.beside else ""
    steps = [f"{everything.alive.bit_count()} combinations{beside}"]
    steps += [f"{left} {LEFT_AFTER[stage]}" for stage, left in funnel(advice)]
    count = len(shortlist(advice))
    return " → ".join([*steps, f"{count} candidate{'' if count == 1 else 's'}"])
