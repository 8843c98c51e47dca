"""What a ranking looks like in a terminal. Meaning never rests on colour alone."""

from collections.abc import Iterator

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from runner.anatomy import Anatomy
from runner.calibrate import Calibration, forecast, trial_seconds
from runner.data import ImageSet
from runner.fitted import Fitted
from runner.live import State
from runner.metrics import Score
from runner.plan import RunPlan
from runner.results import Leaderboard, Standing
from runner.wording import chance, counted, duration, figures, gap, images, span

LABELS = {"kid": "KID", "intra-class": "intra-\nclass"}
LONGER = 1.1  # the most that a race may take is told where it is so much more than is expected
SKIPPED = 10  # files that are named


def table(board: Leaderboard) -> RenderableType:
    """The standings, best first; failures and cautions below them."""
    of_what = (
        f"median of the best of {counted(board.tries, 'setting')}, " if board.tries else "mean "
    )
    title = f"{of_what}{board.metric}, lower is better"
    rows = Fitted(title, drop=("img/s", "done", "best", "place", "each", "interval"))
    rows.add_column("place", "")
    rows.add_column("arm", "arm", words=True)
    rows.add_column("mean")
    rows.add_column("interval", "95 % interval")
    rows.add_column("best")
    each_what = "each setting" if board.tries else "each seed"
    rows.add_column("each", each_what, words=True, min_width=9)
    rows.add_column("done")
    rows.add_column("img/s")
    for each in board.standings:
        rows.add_row(
            place(each, board),
            name(each),
            Text(number(each.mean), style="bold" if each.leader else ""),
            interval(each),
            "–" if each.best is None else chance(each.best),
            seeds(each),
            f"{each.finished}/{each.tried}" if each.tried else "none",
            f"{each.images_per_second:,.0f}" if each.tried else "–",
        )
    return Group(rows, *beside(board), *notes(board))


def beside(board: Leaderboard) -> Iterator[RenderableType]:
    """What was measured beside the distance, and of toys what is known of their distribution."""
    if board.measures:
        names = [name for name in board.measures if name != "kid-sd"]
        better = (
            "KID: lower is better, the others: higher" if "kid" in names else "higher is better"
        )
        says = f"measured beside it; {better}"
        rows = Fitted(says, drop=("density", *reversed(names)))
        rows.add_column("arm", words=True)
        for measure in names:
            rows.add_column(measure, LABELS.get(measure, measure))
        for each in board.standings:
            if each.secondary:
                rows.add_row(name(each), *(number(each.secondary.get(m)) for m in names))
        for anchor, score in anchored(board):
            rows.add_row(Text(anchor, "dim"), *(number(score.secondary.get(m)) for m in names))
        yield rows
    if board.truths:
        rows = Fitted("held against the truth", drop=tuple(reversed(board.truths)))
        rows.add_column("arm", words=True)
        for measure in board.truths:
            rows.add_column(measure, measure.replace("-", "\n"))
        for each in board.standings:
            rows.add_row(name(each), *(number(each.truth.get(measure)) for measure in board.truths))
        yield rows


def anchored(board: Leaderboard) -> Iterator[tuple[str, Score]]:
    """Real images first, then what nobody had to learn."""
    if board.floor:
        yield "real images", board.floor
    yield from board.anchors.items()


def place(each: Standing, board: Leaderboard) -> str:
    tied = sum(other.rank == each.rank for other in board.standings) > 1
    if each.mean is None:
        return "–"
    return f"{each.rank}=" if tied else str(each.rank)


def name(each: Standing) -> str:
    return f"{each.name} (control)" if each.control else each.name


def number(value: float | None) -> str:
    return "–" if value is None else figures(value)


def seeds(each: Standing) -> str:
    if each.left and each.last_look is not None:
        return f"left after {images(each.left)}, at {figures(each.last_look)}"
    return " ".join(figures(score) for score in each.scores) or "–"


def interval(each: Standing) -> str:
    if each.low is None or each.high is None:
        return "–"
    return span(each.low, each.high)


def notes(board: Leaderboard) -> Iterator[Text]:
    if board.floor:
        says = f"floor {figures(board.floor.value)}: training images against held-out ones"
        yield Text(f"{says}, what a perfect generator would score", style="dim")
    if board.anchors:
        those = ", ".join(f"{name} {figures(s.value)}" for name, s in board.anchors.items())
        yield Text(f"images that nobody had to learn: {those}", style="dim")
    for arm in board.search:
        if made := sorted((t for t in arm.drawn if t.distance is not None), key=lambda t: t.rank):
            published = arm.tried[0].distance
            beside = f"as published {figures(published)}; " if published is not None else ""
            best = f"{figures(made[0].rank)} by setting {made[0].setting} ({made[0].says})"
            flatters = f"which flatters: the best of {len(arm.drawn)}"
            yield Text(f"{arm.name}: {beside}lowest {best}, {flatters}")
    if board.verdict.kind in ("winner", "tie") and not board.tries:
        resolves = f" resolve gaps of {gap(board.resolves)}" if board.resolves else ""
        yield Text(f"= marks a tie; the seeds{resolves}; below the leaders only an order", "dim")
    if any(each.best is not None for each in board.standings):
        yield Text("best: how probably its true mean is the lowest; a number, not a test", "dim")
    for each in board.standings:
        for failure in each.failures:
            yield Text(f"{each.name}, {failure}")
        for says in each.foreseen:
            yield Text(f"{each.name}, as the advice had said: {says}", "dim")
    for caution in board.cautions:
        yield Text(f"caution: {caution}")


def planned(plan: RunPlan, calibration: Calibration) -> RenderableType:
    """What will be trained, how fast each arm is here, and what the whole will take."""
    foreseen = forecast(plan, calibration)
    arms = Fitted("arms, as measured on this machine", "left", drop=("images/s", "memory"))
    arms.add_column("arm", words=True)
    for heading in ("images/s", "a trial to the end", "memory"):
        arms.add_column(heading, heading.replace(" to", "\nto"))
    names = {trial.arm: trial.name for trial in plan.trials}
    for arm in plan.arms:
        pace = calibration.pace(arm)
        arms.add_row(
            f"{names[arm]} (control)" if arm == plan.control else names[arm],
            f"{pace.images_per_second:,.0f}",
            duration(trial_seconds(plan, pace, plan.budget, plan.budget)),
            f"{pace.mebibytes:,.0f} MiB",
        )
    rungs = Fitted("rungs", "left", drop=("of the budget", "seeds", "about"))
    rungs.add_column("")
    rungs.add_column("arms", words=True, min_width=4)
    for heading in ("seeds", "images each", "of the budget", "about"):
        rungs.add_column(heading, heading.replace(" each", "\neach").replace(" the", "\nthe"))
    for at, (rung, each) in enumerate(zip(plan.rungs, foreseen.stretches, strict=True), 1):
        beside = " with the control" if at > 1 and plan.control else ""
        rungs.add_row(
            str(at),
            f"{each.arms}{beside}",
            str(rung.seeds),
            f"{rung.budget:,}",
            f"{100 * rung.budget / plan.budget:.0f} %",
            duration(each.seconds),
        )
    at_once = counted(calibration.workers, "trial")
    says = (
        f"{plan.budget:,} real images for each trial that gets to the end; "
        f"about {duration(foreseen.seconds)} in all, {at_once} at a time with "
        f"{counted(calibration.threads, 'thread')} each; {100 * foreseen.whole:.0f} % of the "
        "images that it would take to train every arm to the end"
    )
    if foreseen.longest > LONGER * foreseen.seconds:
        says += (
            f". Arms leave only once somebody has learnt enough to be ranked: if nobody has by then, "
            f"it takes up to {duration(foreseen.longest)}"
        )
    left_out = (Text(f"not trained: {skip.arm}: {skip.why}") for skip in plan.skipped)
    caution = [Text(f"caution: {plan.other_data}")] if plan.other_data else []
    return Group(arms, rungs, *left_out, *caution, Text(says))


def standing_now(state: State) -> RenderableType:
    """A run that goes on: every trial, how far it is and what was last seen of it."""
    rungs, race = state.plan.rungs, state.race
    at = f"rung {race.rung + 1} of {len(rungs)}, " if rungs[1:] else ""
    to_go = sum(
        row.trial.id in {task.trial for task in race.tasks(race.rung)} for row in state.rows
    )
    says = f"{at}{counted(to_go, 'trial')} to go"
    if state.seconds_left is not None and state.at_work:
        says += f", about {duration(state.seconds_left)} left{' of this rung' if rungs[1:] else ''}"
    if state.over:
        says = "over: every trial that was to get to the end has got there, or has failed"
    rows = Fitted(says, "left", drop=("img/s", "distance"))
    rows.add_column("trial", words=True)
    rows.add_column("state", words=True, min_width=8)
    for heading in ("images", "img/s", "distance"):
        rows.add_column(heading)
    for row in state.rows:
        if row.state == "not begun":
            continue
        share = f" ({100 * row.images_seen / row.goal:.0f} %)" if row.images_seen < row.goal else ""
        rows.add_row(
            row.trial.id,
            f"{row.state}: {row.why}" if row.why else row.state,
            images(row.images_seen) + share,
            f"{row.images_per_second:,.0f}" if row.images_per_second else "–",
            number(row.look.value if row.look else None),
        )
    if state.over:
        return rows
    if state.silence is None:
        return Group(rows, Text("it has not begun yet"))
    heard = f"last sign of life {duration(state.silence)} ago"
    return Group(rows, Text(heard if state.at_work else f"{heard}: nobody may be at work any more"))


def described(found: ImageSet) -> RenderableType:
    """What a data set holds, for somebody who is about to train on it."""
    rows = Table(box=None, padding=(0, 1), show_header=False)
    rows.add_column(no_wrap=True, style="bold")
    rows.add_column(overflow="fold")
    rows.add_row("images", f"{len(found.train):,} to train on, {len(found.held_out):,} held out")
    rows.add_row("held out", found.held_out_is)
    if found.of_points:
        rows.add_row("values", found.preparation)
    else:
        rows.add_row("pixels", f"{found.size} × {found.size}, {found.kind}; {found.preparation}")
    if found.classes:
        rows.add_row("classes", f"{len(found.classes)}: {', '.join(found.classes)}")
    if found.skipped:
        rows.add_row("skipped", f"{len(found.skipped):,} files that could not be used:")
        for skipped in found.skipped[:SKIPPED]:
            rows.add_row("", f"{skipped.file}: {skipped.why}")
        if len(found.skipped) > SKIPPED:
            rows.add_row("", f"and {len(found.skipped) - SKIPPED:,} more")
    rows.add_row("fingerprint", found.fingerprint)
    return rows


def opened(built: Anatomy, called: str) -> RenderableType:
    """Network by network what a recipe is built of, and what a turn of its game keeps."""
    tables = []
    for network in built.networks:
        rows = Table(title=network.name, title_justify="left", padding=(0, 1), show_footer=True)
        rows.add_column("layer", "all")
        rows.add_column("")
        rows.add_column("gives", justify="right")
        rows.add_column("parameters", f"{network.parameters:,}", justify="right")
        rows.add_column("MFLOP", f"{network.flops / 1e6:,.2f}", justify="right")
        for layer in network.layers:
            rows.add_row(
                layer.name,
                layer.kind,
                " × ".join(map(str, layer.output)) or "a score",
                f"{layer.parameters:,}" if layer.parameters else "",
                f"{layer.flops / 1e6:,.2f}" if layer.flops else "",
            )
        tables.append(rows)
    turns = Table(title="turns", title_justify="left", padding=(0, 1))
    for heading in ("who moves", "what they minimise together", "steps"):
        turns.add_column(heading)
    turns.add_column("MB for each image", justify="right")
    for turn in built.turns:
        kept = f"{turn.bytes_per_image / 1e6:,.2f}"
        turns.add_row(", ".join(turn.players), ", ".join(turn.terms), str(turn.times), kept)
    batch = built.recipe.batch_size
    memory = built.fixed_bytes + batch * built.bytes_per_image
    image = f"{built.channels} × {built.size} × {built.size}"
    says = (
        f"{called} for images of {image}: {built.parameters:,} parameters; in float32 about "
        f"{memory / 1e6:,.0f} MB with a batch of {batch}, {built.fixed_bytes / 1e6:,.0f} of them "
        "whatever the batch. MFLOP are of one image on its way through, a training step takes "
        "several times as many."
    )
    return Group(*tables, turns, Text(says))
