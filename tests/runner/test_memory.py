"""A batch that does not fit into memory goes through in parts: the same step, and it is told."""

from dataclasses import replace
from threading import Barrier

import pytest
import torch
from torch import nn

from runner import parts
from runner.calibrate import pace_of
from runner.game import build
from runner.leaderboard import rank
from runner.memory import OF_THE_BATCH, of_the_batch, parts_of, ran_out
from runner.plan import Overrides
from runner.prepare import Request, prepare
from runner.train import Decay, Run, train
from runner.trial import run_trial
from tests.runner.runs import finished, plan
from tests.runner.small import IMAGE, Bars, recipe

CPU_SAYS = (
    "[enforce fail at alloc_cpu.cpp:127] err == 0. DefaultCPUAllocator: can't allocate memory: you "
    "tried to allocate 68719476736 bytes. Error code 12 (Cannot allocate memory)"
)
ERRORS = [
    torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB."),
    RuntimeError(CPU_SAYS),
    RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`"),
    MemoryError(),
]


def run_of(plan, batch_size=8):
    return Run(build(plan, IMAGE, 1), Bars(batch_size), torch.device("cpu"), "float32", 0.05, 5,
               Decay(None, 100))  # fmt: skip


def gradients(plan, count, batch_size=8):
    """Of both players' first steps, by turns, with the batch in so many parts."""
    run, found = run_of(plan, batch_size), []
    run.parts = count
    for index, turn in enumerate(run.game.turns):
        for name, network in run.game.networks.items():
            network.requires_grad_(name in turn.players)
        if turn.fresh:
            run.draw()
            # Given, not drawn: as many random numbers are drawn in parts, but in another order.
            run.batch["latents"] = torch.randn(
                batch_size, plan.latent_dim, generator=torch.Generator().manual_seed(index)
            )
        run.find_gradients(index, turn.terms)
        found.append(torch.cat([p.grad.flatten() for p in run.learnt_in(turn)]))
    return run, torch.cat(found)


def agree(plan, count, batch_size=8):
    whole, parted = gradients(plan, 1, batch_size), gradients(plan, count, batch_size)
    close = torch.allclose(whole[1], parted[1], rtol=1e-4, atol=1e-6 * whole[1].abs().max().item())
    for name, (total, _) in whole[0].tally.items():
        close &= torch.allclose(total, parted[0].tally[name][0], rtol=1e-4, atol=1e-6)
    return bool(close)


PLAIN = {"critic_norm": "none", "generator_norm": "none"}


@pytest.mark.parametrize("name", parts.loss.known)
@pytest.mark.parametrize("count", [2, 3, 8])
def test_parts_of_a_batch_add_up_to_its_gradients_for_every_loss(name, count):
    plan = recipe("mlp", loss={"name": name}, **PLAIN)
    assert agree(plan, count) == (name not in OF_THE_BATCH)


@pytest.mark.parametrize("name", [n for n in parts.penalty.known if n != "consistency"])
def test_parts_of_a_batch_add_up_to_its_gradients_for_every_penalty(name):
    """But for `consistency`, which draws twice."""
    plan = recipe("mlp", penalties=({"name": name},), **PLAIN)
    assert agree(plan, 2) == (name not in OF_THE_BATCH)


@pytest.mark.parametrize("name", parts.generator_penalty.known)
def test_parts_of_a_batch_add_up_to_its_gradients_for_every_penalty_of_the_generator(name):
    plan = recipe("mlp", generator_penalties=({"name": name},), **PLAIN)
    assert agree(plan, 2) == (name not in OF_THE_BATCH)


@pytest.mark.parametrize("norm", ["none", "layer-norm"])
@pytest.mark.parametrize("backbone", ["mlp", "conv", "resnet"])
def test_parts_of_a_batch_add_up_to_its_gradients_for_networks(backbone, norm):
    plan = recipe(backbone, critic_norm=norm, generator_norm="none")
    assert agree(plan, 4)
    assert not of_the_batch(plan, build(plan, IMAGE, 0).networks)


def test_batch_norm_sees_the_parts():
    plan = recipe(critic_norm="batch-norm")
    assert not agree(plan, 2)
    assert of_the_batch(plan, build(plan, IMAGE, 0).networks) == ["its batch norm"]


def test_vectors_of_spectral_norm_end_as_those_of_the_whole_batch():
    plan = recipe("conv", normalizers=({"name": "spectral-norm"},), generator_norm="none")
    assert agree(plan, 4)
    (whole, _), (parted, _) = gradients(plan, 1), gradients(plan, 4)
    for name, buffer in whole.game.networks.named_buffers():
        assert torch.equal(buffer, parted.game.networks.get_buffer(name)), name


def test_statistics_of_batch_norm_take_one_step_for_the_whole_batch():
    plan = recipe()
    (whole, _), (parted, _) = gradients(plan, 1), gradients(plan, 4)
    for name, buffer in whole.game.networks.named_buffers():
        there = parted.game.networks.get_buffer(name)
        if name.endswith("num_batches_tracked"):
            assert torch.equal(buffer, there)
        if name.endswith("0.running_mean"):  # of the layers above, inputs are normalised otherwise
            assert torch.allclose(buffer, there, rtol=1e-3, atol=1e-5), name


def test_what_follows_a_step_follows_it_once_from_the_whole_batch():
    plan = recipe(
        structure={"name": "auto-encoder-critic", "settings": {"code": 4}},
        divergence="wasserstein",
        loss={"name": "equilibrium", "settings": {"gain": 0.5}},
        **PLAIN,
    )
    shares = []
    for count in (1, 4):
        run = run_of(plan)
        run.parts = count
        run.step(0, run.game.turns[0])
        shares.append(run.game.networks["balance"].share.item())
    assert shares[0] > 0
    assert shares[0] == pytest.approx(shares[1], rel=1e-4)


def test_parts_are_even_and_whole():
    batch = {"real": torch.arange(11.0)[:, None], "labels": torch.arange(11)}
    split = parts_of(batch, 4)
    assert [len(part["real"]) for part in split] == [3, 3, 3, 2]
    assert torch.equal(torch.cat([part["labels"] for part in split]), batch["labels"])


# Running out -------------------------------------------------------------------------------------


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: type(error).__name__)
def test_running_out_of_memory_is_told_from_other_errors(error):
    assert ran_out(error)
    assert not ran_out(RuntimeError("mat1 and mat2 shapes cannot be multiplied"))
    assert not ran_out(ValueError(CPU_SAYS))


class Tight(nn.Module):
    """A network with room for so many images."""

    def __init__(self, inner, room, error, spoil=False):
        super().__init__()
        self.inner, self.room, self.error, self.spoil = inner, room, error, spoil
        self.seen = []

    def forward(self, images):
        scores = self.inner(images)  # half of the work is done
        self.seen.append(len(images))
        if len(images) > self.room:
            torch.rand(3)
            raise self.error
        return scores

    def features(self, images):
        return self.inner.features(images)


def tight(plan, room, error=ERRORS[0]):
    game = build(plan, IMAGE, 1)
    critic = Tight(game.networks["critic"], room, error)
    return replace(game, networks=nn.ModuleDict({**game.networks, "critic": critic})), critic


def weights(trained):
    return torch.cat([p.detach().flatten() for p in trained.generator.parameters()])


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: type(error).__name__)
@pytest.mark.parametrize(("room", "micro_batch"), [(4, 4), (3, 2), (1, 1)])
def test_memory_that_runs_out_halves_the_batch_for_the_rest_of_the_trial(room, micro_batch, error):
    plan = recipe("conv", normalizers=({"name": "spectral-norm"},), generator_norm="none")
    game, critic = tight(plan, room, error)
    said = []
    done = train(game, plan, Bars(8), budget=8 * 6, precision="float32", seed=5, tell=said.append)
    assert done.micro_batch == micro_batch
    assert done.images_seen == 8 * 6
    assert said[0] == (
        "out of memory with 8 images at a time: it goes on with 4, "
        "2 parts of each batch being added up"
    )
    failed = [seen for seen in critic.seen if seen > room]
    assert len(failed) == len(said)  # never tried again
    whole = train(build(plan, IMAGE, 1), plan, Bars(8), budget=8 * 6, precision="float32", seed=5)
    assert whole.micro_batch is None
    # The latents are all that is drawn, and so the same: what differs is the order of sums.
    assert torch.allclose(weights(done), weights(whole), rtol=1e-2, atol=1e-4)


def test_a_step_that_ran_out_of_memory_leaves_no_trace():
    """As if it had been known from the start that only half of a batch fits."""
    plan = recipe(critic_norm="batch-norm", penalties=({"name": "gradient-penalty"},))
    game, _ = tight(plan, 4)
    after = train(game, plan, Bars(8), budget=8 * 4, precision="float32", tell=lambda _: None)
    before = run_of(plan)
    before.parts = 2
    before.rng.manual_seed(0)
    for _ in range(4):
        before.play_round()
    assert torch.equal(weights(after), weights(before.trained()))


def test_what_is_not_quite_the_same_is_said():
    plan = recipe(
        loss={"name": "relativistic-average"}, generator_penalties=({"name": "pulling-away"},)
    )
    game, _ = tight(plan, 4)
    said = []
    train(game, plan, Bars(8), budget=8, precision="float32", tell=said.append)
    assert said[0].endswith(
        "which is not quite the same for the averages of its loss and its pulling-away term and "
        "its batch norm"
    )


def test_only_where_one_image_does_not_fit_is_it_an_error():
    plan = recipe("conv", generator_norm="none")
    game, critic = tight(plan, 0)
    with pytest.raises(torch.OutOfMemoryError):
        train(game, plan, Bars(8), budget=8, precision="float32", tell=lambda _: None)
    assert [n for at, n in enumerate(critic.seen) if n not in critic.seen[:at]] == [8, 4, 2, 1]


def test_other_errors_are_not_tried_again():
    plan = recipe("conv")
    game, critic = tight(plan, 4, RuntimeError("shapes cannot be multiplied"))
    with pytest.raises(RuntimeError, match="shapes"):
        train(game, plan, Bars(8), budget=8, precision="float32")
    assert critic.seen == [8]


def test_the_parts_stand_in_the_checkpoint(tmp_path):
    plan, path = recipe("conv"), tmp_path / "run.ckpt"
    game, _ = tight(plan, 4)
    said = []
    done = train(game, plan, Bars(8), budget=8 * 6, precision="float32", tell=said.append)
    assert len(said) == 1
    game, _ = tight(plan, 4)
    settings = {"precision": "float32", "checkpoint": path, "tell": said.append}
    train(game, plan, Bars(8), budget=8 * 3, whole=8 * 6, **settings)
    game, critic = tight(plan, 4)
    resumed = train(game, plan, Bars(8), budget=8 * 6, **settings)
    assert max(critic.seen) == 4
    assert len(said) == 2
    assert torch.equal(weights(resumed), weights(done))


# Up to the user ----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def point_plan(advice):
    overrides = Overrides(backbone="mlp", width=8, batch_size=32, only=("baseline",))
    settings = {"budget": 256, "seeds": 1, "looks": 1, "samples": 200, "look_samples": 100}
    return prepare(advice, Request(data="ring8", overrides=overrides, **settings), print).plan


@pytest.mark.parametrize(
    ("room", "status", "micro_batch"), [(16, "finished", 16), (0, "out-of-memory", None)]
)
def test_a_trial_tells_and_records_it(room, status, micro_batch, point_plan, tmp_path, monkeypatch):
    def build_tight(plan, image, seed):
        game = build(plan, image, seed)
        critic = Tight(game.networks["critic"], room, ERRORS[0])
        return replace(game, networks=nn.ModuleDict({**game.networks, "critic": critic}))

    monkeypatch.setattr("runner.trial.build", build_tight)
    events = []
    result = run_trial(point_plan.trials[0], point_plan, tmp_path, events.append)
    assert result.status == status
    assert any("out of memory with 32 images" in (event.says or "") for event in events)
    if status == "finished":
        assert (result.micro_batch, result.other_in_parts) == (micro_batch, ("its batch norm",))
    else:
        assert result.why == "CUDA out of memory. Tried to allocate 2.00 GiB."


@pytest.mark.parametrize("halve", [True, False])
def test_a_pace_is_measured_as_the_run_will_train(halve, point_plan, monkeypatch):
    """Side by side with others it is no pace, but a sign that so many do not fit."""
    small = tight(recipe("mlp"), 4)[0]
    monkeypatch.setattr("runner.game.build", lambda *_: small)
    monkeypatch.setattr("runner.calibrate.batches_of", lambda *_: Bars(8))
    monkeypatch.setattr("runner.calibrate.features_of", lambda *_: len)
    monkeypatch.setattr("runner.calibrate.SECONDS", 0.05)
    if halve:
        assert pace_of(point_plan, point_plan.trials[0], Barrier(1), halve).images_per_second > 0
    else:
        with pytest.raises(torch.OutOfMemoryError):
            pace_of(point_plan, point_plan.trials[0], Barrier(1), halve)


def test_a_ranking_says_whose_batches_were_halved():
    planned = plan(["a", "b"])
    ended = [
        finished(trial, 10.0 + trial.seed).model_copy(
            update={"micro_batch": 16 if trial.arm == "b" else None,
                    "other_in_parts": ("its batch norm",) if trial.arm == "b" else ()}
        )
        for trial in planned.trials
    ]  # fmt: skip
    (told,) = (each for each in rank(planned, ended, None, None).cautions if "Memory" in each)
    assert told == (
        "Memory ran out for B (3 trials): batches of 64 went through with 16 images at a time, "
        "added up before each step. That is not quite the same for its batch norm."
    )
