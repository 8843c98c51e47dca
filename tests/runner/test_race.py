"""Who goes on from rung to rung, and what a race has cost."""

from math import inf, log

import pytest
from hypothesis import given
from hypothesis import strategies as some
from rich.console import Console

from runner import views
from runner.calibrate import (
    Calibration,
    Pace,
    Packing,
    affordable,
    chosen,
    forecast,
    scheduled,
    trial_seconds,
    ways_to_pack,
)
from runner.leaderboard import rank
from runner.plan import Rung
from runner.race import UNLEARNT, Mark, Race, bar_of, ladder, promoted, with_budget
from runner.results import Look, TrialResult
from runner.wording import duration
from tests.runner.runs import diverged, finished, plan, score

ARMS = ("a", "b", "c", "d", "e", "baseline")
RUNGS = (
    Rung(budget=200_000, seeds=3, keep=3),
    Rung(budget=600_000, seeds=3, keep=2),
    Rung(budget=2_000_000, seeds=3, keep=None),
)


def planned(arms=ARMS, rungs=RUNGS, control="baseline"):
    return plan(arms).model_copy(update={"rungs": rungs, "control": control})


def paused(trial, budget, value):
    look = Look(images_seen=budget, seconds=60.0, value=value)
    return TrialResult(
        trial=trial, status="paused", looks=(look,), images_seen=budget + 5, seconds=60.0
    )


def at_first_rung(race_plan, values):
    return [paused(t, 200_000, values[t.arm] * (1 + t.seed / 100)) for t in race_plan.trials]


VALUES = dict(zip(ARMS, (10.0, 20.0, 30.0, 40.0, 50.0, 60.0), strict=True))


def test_a_race_begins_with_every_arm_seed_by_seed():
    race = Race(planned(), [])
    assert race.rung == 0
    tasks = race.tasks(0)
    assert [task.trial for task in tasks[:6]] == [f"{arm}-seed0" for arm in ARMS]
    assert {task.budget for task in tasks} == {200_000}
    assert len(tasks) == 18


def test_nobody_leaves_before_every_trial_of_the_rung_is_there():
    race_plan = planned()
    assert Race(race_plan, at_first_rung(race_plan, VALUES)[:-1]).rung == 0


def test_the_best_go_on_and_the_control_arm_wherever_it_stands():
    race_plan = planned()
    race = Race(race_plan, at_first_rung(race_plan, VALUES))
    assert race.entrants == [ARMS, ("a", "b", "c", "baseline")]
    assert (race.left("d"), race.left("a")) == (0, None)
    assert {task.budget for task in race.tasks(1)} == {600_000}


def test_an_arm_that_failed_on_a_seed_stands_behind_those_that_did_not():
    race_plan = planned()
    ended = at_first_rung(race_plan, VALUES)
    ended[0] = diverged(race_plan.trials[0])
    race = Race(race_plan, ended)
    assert race.entrants[1] == ("b", "c", "d", "baseline")
    every = [diverged(t) if t.arm == "baseline" else paused(t, 200_000, 9.0)
             for t in race_plan.trials]  # fmt: skip
    assert "baseline" not in Race(race_plan, every).entrants[1]  # there is nothing to go on with


def test_nobody_leaves_before_anybody_has_learnt():
    race_plan = planned()
    ended = at_first_rung(race_plan, VALUES)  # the best is at 10
    assert Race(race_plan, ended, bar=9.5).entrants[1] == ARMS
    assert Race(race_plan, ended, bar=10.5).entrants[1] == ("a", "b", "c", "baseline")


def test_a_ranking_next_to_noise_is_told():
    race_plan = planned()
    board = rank(race_plan, ended_race(race_plan), None, "baseline", {"noise": score(19.0)})
    assert any("Nobody has learnt much yet: half of the distance of noise is 9.50" in c
               for c in board.cautions)  # fmt: skip
    board = rank(race_plan, ended_race(race_plan), None, "baseline", {"noise": score(2000.0)})
    assert not any("learnt" in caution for caution in board.cautions)


def test_the_bar_is_half_of_noise_and_blurred_real_images():
    assert bar_of({}) is None
    assert bar_of({"noise": score(100.0)}) == 50
    assert bar_of({"noise": score(100.0), "blur": score(30.0), "mean": score(10.0)}) == 30
    assert bar_of({"noise": score(100.0), "blur": score(80.0)}) == 50
    assert bar_of({"noise": score(100.0), "blur": score(1.0)}) == 50  # of one colour each


def test_a_race_without_survivors_is_over():
    race_plan = planned()
    race = Race(race_plan, [diverged(trial) for trial in race_plan.trials])
    assert race.over
    assert rank(race_plan, [diverged(t) for t in race_plan.trials], None, None).verdict.kind == (
        "nothing"
    )


def ended_race(race_plan):
    """Where it ends when everybody keeps their place: two arms and the control at the end."""
    first = at_first_rung(race_plan, VALUES)
    of_second = {"a", "b", "c", "baseline"}
    second = [
        paused(r.trial, 600_000, VALUES[r.trial.arm]) if r.trial.arm in of_second else r
        for r in first
    ]
    second = [
        r.model_copy(update={"looks": (*old.looks, *r.looks)}) if r is not old else r
        for r, old in zip(second, first, strict=True)
    ]
    of_last = {"a", "b", "baseline"}
    return [
        finished(r.trial, VALUES[r.trial.arm] * (1 + r.trial.seed / 100)).model_copy(
            update={"looks": r.looks}
        )
        if r.trial.arm in of_last
        else r
        for r in second
    ]


def test_a_race_ends_when_the_last_ones_got_to_the_end():
    race_plan = planned()
    ended = ended_race(race_plan)
    race = Race(race_plan, ended)
    assert race.over
    assert race.entrants[2] == ("a", "b", "baseline")
    assert [race.left(arm) for arm in ARMS] == [None, None, 1, 0, 0, None]


def test_the_leaderboard_puts_those_that_left_behind_the_others_and_says_when():
    race_plan = planned()
    board = rank(race_plan, ended_race(race_plan), None, "baseline")
    assert [each.arm for each in board.standings] == ["a", "b", "baseline", "c", "d", "e"]
    assert [each.left for each in board.standings] == [None] * 3 + [600_000, 200_000, 200_000]
    assert board.complete
    assert board.verdict.kind == "winner"
    assert not any(each.failures for each in board.standings)
    assert "A wins among the 3 arms that got to the end" in board.verdict.says
    told = next(c for c in board.cautions if "Out of the race early" in c)
    assert "C after 600k (a factor of 3.0 behind A), D after 200k (a factor of 4.0" in told
    assert "might have caught up" in told


def test_an_arm_that_left_no_further_behind_than_seeds_scatter_may_be_as_good():
    race_plan = planned()
    wild = {trial.id: 1 + 1.2 * trial.seed for trial in race_plan.trials}
    ended = [
        finished(r.trial, r.score.value * wild[r.trial.id]).model_copy(update={"looks": r.looks})
        if r.score
        else r
        for r in ended_race(race_plan)
    ]
    board = rank(race_plan, ended, None, "baseline")
    assert any("Seeds scatter enough for C to be as good" in told for told in board.cautions)
    assert board.verdict.kind == "tie"
    assert "c" in board.verdict.arms
    assert "d" not in board.verdict.arms


def test_one_that_leads_at_the_end_is_no_winner_over_one_that_left_by_a_hair():
    race_plan = planned()
    at_second = {"b": 10.05, "c": 10.1}  # and a was at 10
    ended = []
    for r in ended_race(race_plan):
        value = at_second.get(r.trial.arm)
        looks = tuple(
            look.model_copy(update={"value": value})
            if value and look.images_seen == 600_000
            else look
            for look in r.looks
        )
        ended.append(r.model_copy(update={"looks": looks}))
    board = rank(race_plan, ended, None, "baseline")
    assert board.verdict.kind == "tie"
    assert board.verdict.arms == ("a", "c")
    assert "A leads among the 3 arms that got to the end" in board.verdict.says
    assert "but C left the race no further behind than seeds scatter" in board.verdict.says
    assert [each.rank for each in board.standings] == [1, 2, 3, 4, 5, 6]


def test_ranking_in_the_middle_of_a_race_says_where_it_is():
    race_plan = planned()
    board = rank(race_plan, at_first_rung(race_plan, VALUES), None, "baseline")
    assert not board.complete
    assert "12 trials of rung 2 of 3, to 600k images, to go" in board.verdict.says


@given(
    some.dictionaries(
        some.sampled_from("abcdefgh"),
        some.builds(Mark, some.integers(0, 3), some.floats(0, 9) | some.just(inf)),
    ),
    some.integers(1, 8),
    some.sampled_from("abcdefgh"),
)
def test_promoting_keeps_the_best_and_only_ever_one_more(marks, keep, control):
    on = promoted(marks, keep, control)
    assert len(on) <= keep + 1
    left = [arm for arm in marks if arm not in on and marks[arm].mean < inf]
    best = [arm for arm in on if arm != control or marks[arm] <= max(marks[a] for a in on)]
    assert all(marks[one] <= marks[other] for one in best if one != control for other in left)
    assert (control in on) == (control in marks and marks[control].mean < inf)


def test_the_control_arm_takes_nobodys_place():
    race_plan = planned()
    first = at_first_rung(race_plan, {**VALUES, "baseline": 1.0})
    assert Race(race_plan, first).entrants[1] == ("a", "b", "c", "baseline")


def test_few_arms_all_train_to_the_end_and_many_do_not():
    assert ladder(3, 2_000_000, 3) == (Rung(budget=2_000_000, seeds=3, keep=None),)
    rungs = ladder(12, 2_000_000, 3)
    assert rungs[0].budget >= 200_000  # ranks at less say little
    assert rungs[-1] == Rung(budget=2_000_000, seeds=3, keep=None)
    assert [rung.budget for rung in rungs] == sorted({rung.budget for rung in rungs})
    assert ladder(12, 2_000_000, 3, early=()) == rungs[-1:]


def test_with_the_control_or_without_as_many_arms_go_on():
    kept = [rung.keep for rung in ladder(7, 2_000_000, 3)[:-1]]
    assert kept == [3, 1]
    assert [rung.keep for rung in ladder(7, 2_000_000, 3, control=False)[:-1]] == [4, 2]


@pytest.mark.parametrize("arms", range(6, 16))
@pytest.mark.parametrize("seeds", [3, 6])
def test_a_race_costs_at_most_40_percent_of_training_all_to_the_end(arms, seeds):
    names = tuple(str(arm) for arm in range(arms))
    whole = plan(names, seeds)
    rungs = ladder(arms, whole.budget, seeds)
    race_plan = whole.model_copy(update={"rungs": rungs, "control": "0"})
    pace = PACES[0]
    room = Calibration(
        workers=1, threads=1, paces=[pace.model_copy(update={"arm": name}) for name in names]
    )
    assert forecast(race_plan, room).whole <= 0.4 + 1e-9


@pytest.mark.parametrize("seeds", [1, 2, 3, 5])
@pytest.mark.parametrize("arms", range(4, 13))
def test_rungs_grow_in_seeds_and_shrink_in_arms_and_two_get_to_the_end(arms, seeds):
    rungs = ladder(arms, 2_000_000, seeds)
    assert sorted({rung.seeds for rung in rungs}) == [*dict.fromkeys(r.seeds for r in rungs)]
    assert rungs[0].seeds >= 1
    left = [arms, *(rung.keep + 1 for rung in rungs[:-1])]
    assert left == sorted(set(left), reverse=True)
    assert left[-1] >= 2


# From pace to time ------------------------------------------------------------------------------

PACES = tuple(
    Pace(arm=arm, images_per_second=1000.0, scored_per_second=1e9, mebibytes=500.0) for arm in ARMS
)


def test_a_plan_without_rungs_takes_what_its_images_take():
    whole = planned(rungs=RUNGS[-1:])
    foreseen = forecast(whole, Calibration(workers=2, threads=1, paces=PACES))
    assert foreseen.whole == 1
    assert foreseen.seconds == pytest.approx(18 * 2001 / 2, rel=1e-3)  # a second to start


def test_a_race_takes_what_its_rungs_take():
    foreseen = forecast(planned(), Calibration(workers=1, threads=1, paces=PACES))
    first, second, last = foreseen.stretches
    assert (first.arms, second.arms, last.arms) == (6, 4, 3)
    assert first.images == 18 * 200_000
    assert second.images == 12 * 400_000
    assert last.images == 9 * 1_400_000
    assert foreseen.whole == pytest.approx((3.6 + 4.8 + 12.6) / 36)


def test_the_next_task_goes_to_whoever_is_free():
    assert scheduled([3, 1, 1, 1], 2) == 3
    assert scheduled([1, 1, 1, 3], 2) == 4


@pytest.mark.parametrize("limit", [600.0, 3600.0, 86_400.0])
def test_a_time_becomes_the_largest_budget_that_fits(limit):
    room = Calibration(workers=2, threads=1, paces=PACES)
    fits = affordable(planned(), room, limit)
    assert forecast(fits, room).seconds <= limit
    assert forecast(with_budget(fits, round(fits.budget * 1.1)), room).seconds > limit
    assert all(trial.budget == fits.budget for trial in fits.trials)
    assert fits.rungs[0].budget == pytest.approx(fits.budget / 10, rel=1e-3)


def raced(race_plan, room, learnt):
    """Seconds of a race on a clock that is not real; nobody learns before so many images."""
    results: dict[str, TrialResult] = {}
    spent, begun = 0.0, 0
    while not (race := Race(race_plan, list(results.values()), bar=50.0)).over:
        lengths = []
        for task in race.tasks(race.rung):
            trial = next(t for t in race_plan.trials if t.id == task.trial)
            done = begun if trial.id in results else 0
            pace = room.pace(trial.arm)
            lengths.append(trial_seconds(race_plan, pace, task.budget - done, task.budget))
            value = 20.0 + trial.seed if task.budget >= learnt else 80.0
            here = (
                finished(trial, value)
                if task.budget == race_plan.budget
                else paused(trial, task.budget, value)
            )
            before = results[trial.id].looks if trial.id in results else ()
            results[trial.id] = here.model_copy(update={"looks": (*before, *here.looks)})
        spent += scheduled(lengths, room.workers)
        begun = race_plan.rungs[race.rung].budget
    return spent


def laddered(arms, seeds=3, **how):
    names = [*"abcdefgh"[: arms - 1], "baseline"]
    early = {"early": ()} if not how.pop("halving", True) else {}
    rungs = ladder(arms, 2_000_000, seeds, control=True, **early)
    return plan(names, seeds).model_copy(update={"rungs": rungs, "control": "baseline"})


def room_for(race_plan, workers=2):
    paces = tuple(
        Pace(arm=arm, images_per_second=800.0 + 50 * at, scored_per_second=2000.0, mebibytes=500.0)
        for at, arm in enumerate(race_plan.arms)
    )
    return Calibration(workers=workers, threads=1, paces=paces)


@pytest.mark.parametrize("race_plan", [laddered(3), laddered(7, halving=False)], ids=["few", "all"])
def test_where_nobody_may_leave_the_whole_is_reckoned(race_plan):
    room = room_for(race_plan)
    for budget in (50_000, 2_000_000):
        scaled = with_budget(race_plan, budget)
        foreseen = forecast(scaled, room)
        assert foreseen.whole == 1
        assert foreseen.longest == foreseen.seconds
        assert foreseen.seconds == pytest.approx(raced(scaled, room, learnt=0))


@pytest.mark.parametrize("arms", [4, 7, 9])
@pytest.mark.parametrize("budget", [20_000, 60_000, 90_000])
def test_before_anybody_can_have_learnt_all_arms_are_reckoned_with(arms, budget):
    race_plan = with_budget(laddered(arms), budget)
    room = room_for(race_plan)
    foreseen = forecast(race_plan, room)
    assert foreseen.whole == 1
    assert foreseen.seconds == foreseen.longest
    assert foreseen.seconds == pytest.approx(raced(race_plan, room, learnt=UNLEARNT))


@pytest.mark.parametrize("arms", [4, 7, 9])
def test_the_longest_is_what_a_race_takes_in_which_nobody_learns(arms):
    race_plan = laddered(arms)
    foreseen = forecast(race_plan, room_for(race_plan))
    assert foreseen.longest == pytest.approx(raced(race_plan, room_for(race_plan), learnt=inf))
    assert foreseen.longest > 1.5 * foreseen.seconds


@pytest.mark.parametrize("minutes", [5, 10, 15, 20, 30, 60, 600])
@pytest.mark.parametrize("arms", [3, 4, 7])
def test_a_race_keeps_to_its_time_where_somebody_learns_by_then(arms, minutes):
    race_plan = laddered(arms)
    room = room_for(race_plan)
    fits = affordable(race_plan, room, 60.0 * minutes)
    # Who goes on may be slower than the mean, which is all that is known before.
    assert raced(fits, room, learnt=UNLEARNT) <= 1.15 * 60 * minutes
    assert raced(fits, room, learnt=UNLEARNT) >= 0.7 * 60 * minutes


def test_no_time_rests_on_arms_that_might_just_begin_to_leave():
    race_plan = laddered(7)
    room = room_for(race_plan)
    costs = {b: forecast(with_budget(race_plan, b), room).seconds for b in (90_000, 150_000)}
    assert costs[90_000] > costs[150_000]
    fits = affordable(race_plan, room, costs[150_000])
    assert fits.budget < 90_000
    assert forecast(fits, room).longest <= costs[150_000]


def test_a_plan_says_how_long_it_takes_if_nobody_leaves():
    race_plan = laddered(7)
    console = Console(width=200)
    with console.capture() as said:
        console.print(views.planned(race_plan, room_for(race_plan)))
    longest = duration(forecast(race_plan, room_for(race_plan)).longest)
    assert f"it takes up to {longest}" in " ".join(said.get().split())
    few = laddered(3)
    with console.capture() as said:
        console.print(views.planned(few, room_for(few)))
    assert "up to" not in said.get()


def test_no_budget_fits_into_no_time():
    assert affordable(planned(), Calibration(workers=1, threads=1, paces=PACES), 1.0) is None


def test_the_fewest_trials_at_a_time_that_are_about_as_fast():
    def tried(*speeds):
        return [Packing(workers=w, threads=1, images_per_second=s) for w, s in speeds]

    assert chosen(tried((1, 100), (2, 102), (4, 99))).workers == 1
    assert chosen(tried((1, 100), (2, 180), (4, 185))).workers == 2


def test_a_mark_is_the_mean_of_logs_over_the_seeds_that_got_there():
    race_plan = planned()
    race = Race(race_plan, at_first_rung(race_plan, VALUES))
    expected = sum(log(10 * (1 + s / 100)) for s in range(3)) / 3
    assert race.mark("a", 0) == Mark(0, pytest.approx(expected))


def test_threads_and_trials_share_the_cores(monkeypatch):
    monkeypatch.setattr("runner.calibrate.free_cores", lambda: 8)
    assert ways_to_pack(planned(), None) == [
        (1, 1), (1, 8), (2, 1), (2, 4), (4, 1), (4, 2), (8, 1),
    ]  # fmt: skip
    assert ways_to_pack(planned(), 3) == [(3, 1), (3, 2)]
    assert ways_to_pack(planned(), 8) == [(8, 1)]
    monkeypatch.setattr("runner.calibrate.free_cores", lambda: 1)
    assert ways_to_pack(planned(), None) == [(1, 1)]


def test_among_equals_a_trial_gets_one_thread():
    tried = [Packing(workers=1, threads=t, images_per_second=s) for t, s in ((1, 99), (2, 100))]
    assert chosen(tried).threads == 1


def test_a_budget_of_next_to_nothing_has_no_look_before_its_first_image():
    from runner.trial import milestones

    small = with_budget(planned(), 2)
    assert milestones(small, small.budget) == [1, 2]
