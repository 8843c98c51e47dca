"""The loop: who moves when, what is counted, averaged, reported and refused."""

import pickle
from dataclasses import replace
from math import log

import pytest
import torch
from torch import nn

from runner.device import chosen_precision
from runner.game import build, sample
from runner.rounds import Diverged
from runner.scene import Game, Turn
from runner.train import train
from tests.runner.small import IMAGE, Bars, recipe


def play(plan, batches=None, **others):
    game = build(plan, IMAGE, 0)
    others = {"budget": 8 * 4, "precision": "float32"} | others
    return train(game, plan, batches or Bars(), **others)


def spying(game, index, spy):
    """The same game with a spy among the terms of a turn."""
    turns = list(game.turns)
    turns[index] = replace(turns[index], terms=turns[index].terms | {"spy": spy})
    return replace(game, turns=tuple(turns))


def test_only_the_player_of_a_turn_learns_and_the_generator_runs_without_gradients():
    plan, seen = recipe(critic_norm="batch-norm"), []

    def spy(generator, critic, fake, fake_score):
        learning = [any(p.requires_grad for p in net.parameters()) for net in (generator, critic)]
        seen.append((*learning, fake.requires_grad))
        assert fake_score.requires_grad
        return torch.zeros(())

    game = spying(spying(build(plan, IMAGE, 0), 0, spy), 1, spy)
    train(game, plan, Bars(), budget=16)
    critics_turn, generators_turn = (False, True, False), (True, False, True)
    assert seen == [critics_turn, generators_turn] * 2


def test_a_turn_leaves_the_weights_of_the_others_alone():
    plan = recipe(optimizer={"critic_steps": 2})
    game, changed = build(plan, IMAGE, 0), []

    def weights():
        return {name: torch.cat([p.detach().flatten() for p in net.parameters()])
                for name, net in game.networks.items()}  # fmt: skip

    before = weights()

    def compare(critic):
        nonlocal before
        now = weights()
        changed.append([name for name in now if not torch.equal(now[name], before[name])])
        before = now

    turns = tuple(replace(turn, after=(compare,)) for turn in game.turns)
    train(replace(game, turns=turns), plan, Bars(), budget=8 * 4)
    assert changed == [["critic"], ["critic"], ["generator"]] * 2


@pytest.mark.parametrize("critic_steps", [1, 3])
def test_one_optimizer_step_per_network_and_update(critic_steps):
    plan = recipe(
        optimizer={"critic_steps": critic_steps}, penalties=({"name": "r1"}, {"name": "dragan"})
    )
    game, steps = build(plan, IMAGE, 0), []

    def watched(turn):
        def make(parameters):
            optimizer = turn.optimizer(parameters)
            optimizer.register_step_post_hook(lambda *_: steps.append(turn.players[0]))
            return optimizer

        return replace(turn, optimizer=make)

    game = replace(game, turns=tuple(watched(turn) for turn in game.turns))
    train(game, plan, Bars(), budget=8 * critic_steps * 2)
    assert steps == (["critic"] * critic_steps + ["generator"]) * 2


@pytest.mark.parametrize(
    ("budget", "critic_steps", "drawn"), [(80, 1, 10), (81, 1, 11), (80, 4, 12), (1, 5, 5)]
)
def test_budget_counts_real_images_shown_to_the_critic(budget, critic_steps, drawn):
    batches = Bars(8)
    done = play(recipe(optimizer={"critic_steps": critic_steps}), batches, budget=budget)
    assert batches.drawn == drawn
    assert done.images_seen == 8 * drawn
    assert done.history[-1].images_seen == 8 * drawn


def test_the_generators_turn_reuses_the_critics_last_images():
    plan, seen = recipe(loss={"name": "relativistic"}, optimizer={"critic_steps": 2}), []

    def spy(real):
        seen.append(real.sum().item())
        return torch.zeros(())

    game = spying(spying(build(plan, IMAGE, 0), 0, spy), 1, spy)
    train(game, plan, Bars(), budget=16)
    assert seen[0] != seen[1] == seen[2]


def rates_of(plan, **others):
    """The rate of every step of each player."""
    game, seen = build(plan, IMAGE, 0), {"critic": [], "generator": []}

    def watched(turn):
        def make(parameters):
            optimizer = turn.optimizer(parameters)
            note = seen[turn.players[0]].append
            optimizer.register_step_pre_hook(lambda o, *_: note(o.param_groups[0]["lr"]))
            return optimizer

        return replace(turn, optimizer=make)

    game = replace(game, turns=tuple(watched(turn) for turn in game.turns))
    train(game, plan, Bars(), **others)
    return seen


def test_rates_fall_on_a_line_to_zero():
    settings = {"rate": 1.0, "critic_rate": 4.0, "decay_from": 0.5}
    seen = rates_of(recipe(optimizer=settings), budget=8 * 8)
    shares = [1, 1, 1, 1, 1, 3 / 4, 2 / 4, 1 / 4]
    assert seen["generator"] == pytest.approx(shares)
    assert seen["critic"] == pytest.approx([4 * share for share in shares])


def test_a_stage_of_a_run_decays_as_the_whole_does():
    plan = recipe(optimizer={"rate": 1.0, "decay_from": 0.0})
    assert rates_of(plan, budget=16, whole=64)["critic"] == pytest.approx([1, 7 / 8])


def test_rates_stay_where_nothing_is_said():
    assert set(rates_of(recipe(), budget=32)["critic"]) == {2e-4}


def test_clipping_follows_every_critic_step():
    plan = recipe(constraints=({"name": "weight-clipping", "settings": {"limit": 0.005}},))
    done = play(plan)
    assert max(p.abs().max() for p in done.game.networks["critic"].parameters()) <= 0.005


def test_the_seed_decides_everything_and_leaves_global_random_numbers_alone():
    plan = recipe(penalties=({"name": "gradient-penalty"},))

    def weights(seed):
        return torch.cat([p.flatten() for p in play(plan, seed=seed).generator.parameters()])

    before = torch.get_rng_state()
    assert torch.equal(weights(1), weights(1))
    assert not torch.equal(weights(1), weights(2))
    assert torch.equal(torch.get_rng_state(), before)


# The average -------------------------------------------------------------------------------------


class Number(nn.Module):
    """A generator that is one number and has one number for a running statistic."""

    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(1, dtype=torch.double))
        self.register_buffer("statistic", torch.zeros(1, dtype=torch.double))
        self.register_buffer("rounds", torch.zeros((), dtype=torch.long))


class Clock:
    """Batches that say how much of the run is over."""

    def __init__(self, rounds):
        self.rounds, self.round = rounds, 0

    def __next__(self):
        self.round += 1
        return {"real": torch.full((4,), self.round / self.rounds, dtype=torch.double)}


def averaged(course, share, rounds=2000):
    """The average over a run in which the weight is `course(part of the run that is over)`."""

    def follow(generator, real):
        wanted = course(real.mean())
        generator.statistic.fill_(wanted)
        generator.rounds += 1
        return (generator.weight - wanted).square().sum() / 2  # SGD of rate 1 jumps there

    def sgd(parameters):
        return torch.optim.SGD(parameters, lr=1.0)

    game = Game(IMAGE, nn.ModuleDict({"generator": Number()}), {},
                (Turn(("generator",), {"follow": follow}, sgd),))  # fmt: skip
    done = train(game, recipe(), Clock(rounds), budget=4 * rounds, average_half_life=share,
                 precision="float32")  # fmt: skip
    assert done.generator.rounds.item() == rounds
    assert done.generator.statistic.item() == pytest.approx(done.generator.weight.item())
    return done.generator.weight.item()


@pytest.mark.parametrize("share", [0.02, 0.05, 0.2])
def test_half_of_the_averages_weight_lies_on_the_half_life(share):
    assert averaged(lambda t: (t > 1 - share) * 1.0, share) == pytest.approx(
        1 - (1 - share) ** (log(2) / share), abs=0.01
    )
    assert averaged(lambda t: (t > 1 - share) * 1.0, share) == pytest.approx(0.5, abs=0.07)


def test_the_average_of_a_steady_course_and_of_a_longer_run():
    """A power-function average: of t it is k / (k + 1) of the last, whatever the length."""
    k = log(2) / 0.05
    for rounds in (200, 2000):
        assert averaged(lambda t: t, 0.05, rounds) == pytest.approx(k / (k + 1), abs=0.01)


def test_no_averaging():
    assert averaged(lambda t: t, 0.0, 50) == pytest.approx(1)


# Health ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("poison", [float("nan"), float("inf")])
@pytest.mark.parametrize("turn", [0, 1])
def test_divergence_names_the_loss_and_the_images(turn, poison):
    plan, calls = recipe(), []

    def spy(fake_score):
        calls.append(0)
        return fake_score.sum() * (poison if len(calls) == 3 else 0.0)

    game = spying(build(plan, IMAGE, 0), turn, spy)
    with pytest.raises(Diverged, match="not finite after 24 images: spy") as caught:
        train(game, plan, Bars(8), budget=800, look_every=8)
    assert (caught.value.images_seen, caught.value.loss) == (24, "spy")
    assert [look.images_seen for look in caught.value.history] == [8, 16]
    copy = pickle.loads(pickle.dumps(caught.value))
    assert (str(copy), copy.history) == (str(caught.value), caught.value.history)


@pytest.mark.parametrize("save_every", [None, 8 * 5])
def test_where_looks_are_rare_a_diverged_average_is_still_not_handed_over(
    save_every, tmp_path, monkeypatch
):
    monkeypatch.setattr("runner.rounds.CHECK_EVERY", {"cpu": 50})
    plan, calls = recipe(), []

    def spy(fake):
        calls.append(0)
        return fake.sum() * (float("nan") if len(calls) == 3 else 0.0)

    game = spying(build(plan, IMAGE, 0), 1, spy)
    with pytest.raises(Diverged) as caught:
        train(game, plan, Bars(8), budget=8 * 10, look_every=8 * 10, save_every=save_every,
              checkpoint=tmp_path / "run")  # fmt: skip
    assert caught.value.images_seen == (save_every or 8 * 10)
    assert not (tmp_path / "run").exists()


def test_a_nan_gradient_of_a_finite_loss_in_the_last_step_is_not_handed_over(tmp_path):
    plan, calls = recipe(), []

    def spy(fake):
        calls.append(0)
        return (fake.sum() * 0).sqrt() if len(calls) == 4 else fake.sum() * 0

    game = spying(build(plan, IMAGE, 0), 1, spy)
    with pytest.raises(Diverged, match="32 images: weights"):
        train(game, plan, Bars(8), budget=8 * 4, checkpoint=tmp_path / "run")
    assert not (tmp_path / "run").exists()


# Reports -----------------------------------------------------------------------------------------


def test_progress_and_history_at_a_modest_rate():
    reports = []
    done = play(
        recipe(penalties=({"name": "r1", "settings": {"interval": 2}},)),
        budget=8 * 20, look_every=8 * 5, on_progress=reports.append,
    )  # fmt: skip
    assert [look.images_seen for look in done.history] == [40, 80, 120, 160]
    assert [r.images_seen for r in reports] == [40, 80, 120, 160]
    assert all(r.budget == 160 and r.images_per_second > 0 for r in reports)
    assert reports[-1].losses == done.history[-1].losses
    assert set(done.history[0].losses) == {"critic", "generator", "r1"}
    assert len(play(recipe(), budget=8 * 400).history) == 200
    assert done.seconds > 0


def test_history_holds_means():
    plan, worth = recipe(), iter(range(100))
    game = spying(build(plan, IMAGE, 0), 0, lambda fake_score: 0 * fake_score.sum() + next(worth))
    done = train(game, plan, Bars(8), budget=8 * 6, look_every=8 * 3)
    assert [look.losses["spy"] for look in done.history] == [1, 4]


def test_precision():
    assert chosen_precision("float32", torch.device("cpu")) == "float32"
    assert chosen_precision("auto", torch.device("cpu")) in ("float32", "bfloat16")
    assert chosen_precision("auto", torch.device("meta")) == "float32"
    plan = recipe("conv", penalties=({"name": "gradient-penalty"},), critic_norm="layer-norm")
    for precision in ("float32", "bfloat16"):
        done = play(plan, precision=precision)
        assert done.precision == precision
        assert all(p.dtype == torch.float32 for p in done.game.networks.parameters())


def test_half_precision_computes_in_half_but_scores_in_single():
    plan, seen = recipe(), []

    def spy(fake, fake_score, real_score):
        seen.append((fake.dtype, fake_score.dtype, real_score.dtype))
        return torch.zeros(())

    game = spying(build(plan, IMAGE, 0), 0, spy)
    train(game, plan, Bars(8), budget=8, precision="bfloat16")
    assert seen == [(torch.bfloat16, torch.float32, torch.float32)]


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_a_short_run_learns(precision):
    plan = recipe(settings={"width": 16}, optimizer={"rate": 1e-3, "betas": (0.0, 0.999)},
                  normalizers=({"name": "spectral-norm"},))  # fmt: skip
    real = next(Bars(200, seed=9))["real"].mean(0)

    def distance(game):
        return (torch.cat(list(sample(game, 250, seed=0))).mean(0) - real).abs().mean().item()

    start = distance(build(plan, IMAGE, 0))
    done = play(plan, Bars(32), budget=32 * 150, precision=precision)
    assert distance(done.game) < start / 4
