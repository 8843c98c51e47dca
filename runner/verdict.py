"""What a ranking claims, in one sentence, and no more than its seeds bear."""

from math import exp

from runner.contest import Contest, Tally
from runner.results import Verdict
from runner.wording import below, counted, figures, gap, images, listed

SEEDS = 3  # finished ones of every leading arm, before anything is claimed


def judge(contest: Contest) -> Verdict:
    if not contest.leaders:
        says = "No trial finished, so there is nothing to rank."
        if not contest.race.over:
            says = f"Nothing to rank yet: {on_the_way(contest)}."
        return Verdict(kind="nothing", arms=(), says=says)
    if why := unripe(contest):
        first = contest.arms[0]
        lowest = f"{first.name} has the lowest mean {contest.metric}, {figures(exp(first.mean))}"
        says = f"A preview without a winner: {lowest}, but {why}."
        return Verdict(kind="preview", arms=(first.arm,), says=says)
    if len(contest.leaders) == 1 and not contest.near:
        return Verdict(kind="winner", arms=(contest.leaders[0].arm,), says=won(contest))
    arms = tuple(each.arm for each in (*contest.leaders, *contest.near))
    says = led(contest) if len(contest.leaders) == 1 else tied(contest)
    return Verdict(kind="tie", arms=arms, says=says)


def on_the_way(contest: Contest) -> str:
    race = contest.race
    if race.plan.rungs[1:]:
        at = images(race.plan.rungs[race.rung].budget)
        to_go = counted(len(race.tasks(race.rung)), "trial")
        return f"{to_go} of rung {race.rung + 1} of {len(race.plan.rungs)}, to {at} images, to go"
    ended = sum(len(each.ended) for each in contest.tallies)
    planned = sum(each.planned for each in contest.tallies)
    return f"only {ended} of {planned} trials have ended"


def unripe(contest: Contest) -> str | None:
    """Why nothing may be claimed yet."""
    leaders = contest.leaders
    if not contest.race.over:
        return on_the_way(contest)
    if len(contest.tallies) == 1:
        return "it was the only arm to be trained"
    few = [each for each in leaders if len(each.finished) < SEEDS]
    if not few or len(leaders) - len(few) > 1:
        return None  # two that may claim and are not told apart tie, whatever a third does
    if all(not each.failed for each in few):
        most = max(len(each.finished) for each in few)
        return f"{counted(most, 'seed')} an arm cannot tell luck from merit; a claim takes {SEEDS}"
    each = next(each for each in few if each.failed)
    finished = f"{len(each.finished)} of {counted(len(each.ended), 'seed')}"
    return f"a claim takes {SEEDS} finished seeds of every leading arm: {each.name} has {finished}"


def won(contest: Contest) -> str:
    """Where arms left early, nothing is claimed of them."""
    says = f"{leading(contest, 'wins')} over {counted(len(contest.arms[0].finished), 'seed')}"
    if len(contest.arms) == 1:
        return f"{says}: it is the only arm that finished."
    second = contest.arms[1]
    resolves = gap(exp(contest.comparison.margin(0, 1)))
    return f"{says}, {below(contest.gap(1))} {second.name}; these seeds resolve gaps of {resolves}."


def leading(contest: Contest, does: str) -> str:
    first, interval = contest.arms[0], contest.comparison.interval(0)
    those = f" among the {len(contest.arms)} arms that got to the end" if contest.early else ""
    says = f"{first.name} {does}{those} with a mean {contest.metric} of {figures(exp(first.mean))}"
    if interval:
        says += f" (95 %: {figures(exp(interval[0]))} to {figures(exp(interval[1]))})"
    return says


def led(contest: Contest) -> str:
    """One arm is told apart from all others at the end, and not from some that left before."""
    names = listed([each.name for each in contest.near])
    return (
        f"No single winner: {leading(contest, 'leads')}, but {names} left the race no further "
        "behind than seeds scatter."
    )


def tied(contest: Contest) -> str:
    leaders = contest.leaders
    says = f"No single winner: {listed([named(each) for each in leaders])} tie"
    second = contest.arms.index(leaders[1])
    if contest.grounded(second):
        return f"{says}, since this metric can hardly tell them from real images any more."
    if contest.resolved(second):
        return f"{says}, since drawing other samples moves their distances as much as they differ."
    resolves = gap(exp(contest.comparison.margin(0, second)))
    says += f"; these seeds resolve gaps of {resolves}, and the first two are "
    says += f"{gap(exp(contest.gap(second)))} apart"
    needed = contest.comparison.seeds_needed(0, second)
    if needed is None:
        return f"{says}, too close for any practical number of seeds."
    more = max(1, needed - min(len(leaders[0].finished), len(leaders[1].finished)))
    return (
        f"{says}: about {counted(more, 'more seed')} of each would settle it, if that gap is real."
    )


def named(each: Tally) -> str:
    if len(each.finished) >= SEEDS:
        return each.name
    return f"{each.name} (of which {len(each.finished)} of {len(each.ended)} seeds finished)"
