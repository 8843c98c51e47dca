from math import inf, log

import pytest

from runner.leaderboard import rank
from tests.runner.runs import diverged, finished, plan, results, score

CLEAR = {"a": [20.0, 20.4, 19.7], "b": [30.1, 29.5, 30.6], "c": [45.0, 44.1, 46.2]}
CLOSE = {"a": [20.0, 22.4, 18.7], "b": [20.1, 21.5, 22.6], "c": [45.0, 41.1, 48.2]}


def board(values, *, floor=None, control=None, seeds=3):
    planned = plan(list(values), seeds)
    return rank(planned, results(planned, values), floor, control)


def by_arm(found):
    return {standing.arm: standing for standing in found.standings}


# What is claimed ------------------------------------------------------------------------------


def test_an_arm_told_apart_from_all_others_wins() -> None:
    found = board(CLEAR)
    assert found.verdict.kind == "winner"
    assert found.verdict.arms == ("a",)
    assert [standing.rank for standing in found.standings] == [1, 2, 3]
    assert "fd-efficientnet-lite0@64-10k" in found.verdict.says
    assert "33 % below B" in found.verdict.says  # 20.03 against 30.06


def test_arms_that_the_seeds_cannot_tell_apart_tie_and_the_sentence_says_what_would_help() -> None:
    found = board(CLOSE)
    assert found.verdict.kind == "tie"
    assert found.verdict.arms == ("a", "b")
    assert [standing.rank for standing in found.standings] == [1, 1, 3]
    assert "A and B tie" in found.verdict.says
    assert found.resolves is not None
    assert f"resolve gaps of {100 * (found.resolves - 1):.0f} %" in found.verdict.says
    assert "seeds" in found.verdict.says


def test_two_seeds_are_a_preview_however_clear_the_order() -> None:
    found = board({arm: values[:2] for arm, values in CLEAR.items()}, seeds=2)
    assert found.verdict.kind == "preview"
    assert [standing.rank for standing in found.standings] == [1, 2, 3]
    assert "2 seeds" in found.verdict.says


def test_one_seed_gives_an_order_without_intervals() -> None:
    found = board({arm: values[:1] for arm, values in CLEAR.items()}, seeds=1)
    assert found.verdict.kind == "preview"
    assert [standing.arm for standing in found.standings] == ["a", "b", "c"]
    assert all(standing.low is None for standing in found.standings)
    assert found.resolves is None


def test_nothing_is_claimed_before_every_planned_trial_has_ended() -> None:
    planned = plan(list(CLEAR), 3)
    found = rank(planned, results(planned, CLEAR)[:-1], None, None)
    assert not found.complete
    assert found.verdict.kind == "preview"
    assert "8 of 9 trials" in found.verdict.says


def test_an_arm_alone_has_nothing_to_win_against() -> None:
    assert board({"a": CLEAR["a"]}).verdict.kind == "preview"


def test_the_only_arm_that_finished_wins_and_says_so() -> None:
    found = board({"a": [20.0, 21.0, 22.0], "b": [None, None, None]})
    assert found.verdict.kind == "winner"
    assert "only arm that finished" in found.verdict.says


def test_where_nothing_finished_nothing_is_ranked() -> None:
    found = board({"a": [None] * 3, "b": [None] * 3})
    assert found.verdict.kind == "nothing"
    assert all(standing.mean is None for standing in found.standings)
    why = "seeds 0, 1 and 2: diverged: the critic's loss is not a number"
    assert all(standing.failures == (why,) for standing in found.standings)
    assert rank(plan(["a"]), [], None, None).verdict.kind == "nothing"


# What blurs ------------------------------------------------------------------------------------


def test_differences_below_the_noise_of_redraws_tie_whatever_the_seeds_say() -> None:
    planned = plan(["a", "b"])
    values = {"a": [20.0, 20.01, 20.02], "b": [20.5, 20.51, 20.52]}
    steady = rank(planned, results(planned, values), None, None)
    assert steady.verdict.kind == "winner"
    noisy = [finished(t, values[t.arm][t.seed], spread=0.02) for t in planned.trials]
    found = rank(planned, noisy, None, None)
    assert found.verdict.kind == "tie"
    assert found.redraw_noise == pytest.approx(log(1.02 / 0.98) / 2**0.5)
    assert "other samples" in found.verdict.says


def test_arms_within_twice_the_floor_tie() -> None:
    found = board(CLEAR, floor=score(16.0))
    assert found.verdict.arms == ("a", "b")
    assert "real images" in found.verdict.says
    assert board(CLEAR, floor=score(12.0)).verdict.kind == "winner"


def test_an_arm_that_scatters_wildly_does_not_hide_how_the_others_differ() -> None:
    calm = {"a": [20.0, 20.2, 19.9], "b": [26.0, 25.7, 26.2]}
    wild = board({**calm, "c": [900.0, 200.0, 3000.0]})
    assert by_arm(wild)["a"].leader
    assert not by_arm(wild)["b"].leader
    assert any("scatter" in caution for caution in wild.cautions)
    assert not any("scatter" in caution for caution in board(CLEAR).cautions)


# Failures --------------------------------------------------------------------------------------


def test_failed_seeds_rank_after_complete_ones_of_equal_leader_status() -> None:
    values = {"a": [20.0, 21.4, 19.7], "b": [19.0, 20.1, 19.9, None], "c": [40.0, 41.0, 42.0]}
    values = {arm: (own * 2)[:4] for arm, own in values.items()}
    values["d"] = [39.0, 41.0, 39.5, None]
    found = board(values, seeds=4)
    assert [standing.arm for standing in found.standings] == ["a", "b", "c", "d"]
    failing = by_arm(found)["b"]
    assert (failing.finished, failing.tried) == (3, 4)
    assert failing.failures == ("seed 3: diverged: the critic's loss is not a number",)
    assert failing.seeds == (0, 1, 2)


def test_arms_that_never_finished_come_last() -> None:
    found = board({"z": [None, None, None], **CLEAR})
    assert found.standings[-1].arm == "z"
    assert found.standings[-1].rank == 4
    assert found.standings[-1].last_look == pytest.approx(300)


def test_a_leader_that_finished_too_few_seeds_withholds_the_claim() -> None:
    found = board({"a": [20.0, 21.4, 19.7], "b": [20.2, None, None]})
    assert found.verdict.kind == "preview"
    assert "B has 1 of 3 seeds" in found.verdict.says


def test_two_sound_leaders_tie_even_if_a_third_finished_too_few_seeds() -> None:
    found = board({**CLOSE, "c": [20.2, None, None]})
    assert found.verdict.kind == "tie"
    assert "C (of which 1 of 3 seeds finished)" in found.verdict.says


def test_a_score_that_is_not_a_number_is_a_failure() -> None:
    planned = plan(["a", "b"])
    ended = results(planned, {"a": [20, 21, 22], "b": [30, 31, 32]})
    ended = [
        r.model_copy(update={"score": score(inf)}) if r.trial.id == "b-seed1" else r for r in ended
    ]
    assert by_arm(rank(planned, ended, None, None))["b"].failures == ("seed 1: no score",)


# The numbers -----------------------------------------------------------------------------------


def test_means_are_geometric_and_intervals_lie_about_them_by_ratio() -> None:
    found = by_arm(board(CLEAR))["b"]
    assert found.mean == pytest.approx((30.1 * 29.5 * 30.6) ** (1 / 3))
    assert found.low is not None
    assert found.high is not None
    assert found.mean == pytest.approx((found.low * found.high) ** 0.5)


def test_looks_are_summed_up_over_the_finished_seeds() -> None:
    planned = plan(["a"], 3)
    ended = [finished(planned.trials[0], 10.0), finished(planned.trials[1], 40.0)]
    ended.append(diverged(planned.trials[2]))
    found = rank(planned, ended, None, None).standings[0]
    assert found.last_look == pytest.approx(20 * 1.5)
    assert found.images_per_second == pytest.approx(4.6e6 / 580)


def test_the_control_arm_is_marked_and_its_lead_is_told() -> None:
    found = board(CLEAR, control="a")
    assert by_arm(found)["a"].control
    assert any("no candidate was told apart" in caution for caution in found.cautions)
    assert not board(CLEAR, control="b").cautions
    failed = board({"a": [None] * 3, "b": [20, 21, 22], "c": [30, 31, 32]}, control="a")
    assert any("never finished" in caution for caution in failed.cautions)


def test_few_samples_are_cautioned_about_once() -> None:
    planned = plan(["a", "b"], 1)
    few = [finished(t, 20.0, n_generated=500, n_reference=500) for t in planned.trials]
    found = rank(planned, few, None, None)
    assert sum("500 images are few" in caution for caution in found.cautions) == 1


def test_the_probability_of_being_best_stands_beside_the_claim_and_decides_nothing() -> None:
    tied = board(CLOSE)
    chances = [standing.best for standing in tied.standings]
    assert sum(chances) == pytest.approx(1)
    assert chances == sorted(chances, reverse=True)
    assert 0.5 < chances[0] < 0.95
    assert board(CLEAR).standings[0].best > 0.99
    assert all(standing.best is None for standing in board({"a": [20.0], "b": [30.0]}).standings)
    failed = by_arm(board({**CLOSE, "d": [None] * 3}))["d"]
    assert failed.best is None


def looking(trial, *values):
    ended = finished(trial, 20.0, spread=0.01)
    looks = [ended.looks[k].model_copy(update={"value": v}) for k, v in enumerate(values)]
    return ended.model_copy(update={"looks": tuple(looks)})


def test_a_best_look_flatters_where_it_lies_lower_than_other_samples_explain() -> None:
    planned = plan(["a", "b"])
    looks = {"a": (60.0, 30.0, 40.0), "b": (60.0, 29.8, 30.0)}
    found = rank(planned, [looking(t, *looks[t.arm]) for t in planned.trials], None, None)
    told = [caution for caution in found.cautions if "flatters" in caution]
    assert len(told) == 1
    assert "A's is 25 % below its last" in told[0]
    assert "B's" not in told[0]


def test_a_plan_of_two_seeds_says_before_its_end_that_no_winner_can_come_of_it() -> None:
    planned = plan(list(CLEAR), 2)
    begun = rank(planned, results(planned, CLEAR)[:2], None, None)
    assert any("2 seeds an arm" in caution for caution in begun.cautions)
    ended = rank(planned, results(planned, CLEAR), None, None)
    assert not ended.cautions  # the verdict says it


# At the door -----------------------------------------------------------------------------------


def test_scores_of_unlike_protocol_are_refused() -> None:
    planned = plan(["a", "b"], 1)
    one, other = planned.trials
    for change in ({"metric": "fid-inception-10k"}, {"digest": "other"}, {"n_generated": 5000}):
        with pytest.raises(ValueError, match="unlike protocol"):
            rank(planned, [finished(one, 20.0), finished(other, 20.0, **change)], None, None)
    with pytest.raises(ValueError, match="unlike protocol"):
        rank(planned, [finished(one, 20.0)], score(1.0, reference="other"), None)


def test_results_of_another_plan_are_refused() -> None:
    planned = plan(["a"], 1)
    stranger = plan(["b"], 1).trials[0]
    longer = planned.trials[0].model_copy(update={"budget": 1})
    for trial in (stranger, longer):
        with pytest.raises(ValueError, match="of this plan"):
            rank(planned, [finished(trial, 20.0)], None, None)
    with pytest.raises(ValueError, match="more than one"):
        rank(planned, [finished(planned.trials[0], 20.0)] * 2, None, None)


def test_a_perfect_copy_whose_distance_rounds_below_zero_can_be_ranked() -> None:
    found = board({"a": [-1e-9, 0.0, 1e-9], "b": [1.0, 1.1, 1.2]})
    assert found.standings[0].mean == pytest.approx(1e-6)
