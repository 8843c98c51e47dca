"""What the hardware offers is decided in one place, and played on a CPU here."""

import pytest
import torch

from runner import calibrate
from runner.calibrate import Calibration, Pace, compiling
from runner.device import GAIN, Policy, Trying, chosen_precision, compilable, repays, worth_trying
from runner.game import build
from runner.rounds import Decay, Diverged, Run
from runner.train import train
from tests.runner.runs import plan
from tests.runner.small import IMAGE, Bars, recipe

CPU = torch.device("cpu")


def capable(monkeypatch, version, bfloat16):
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda including_emulation: bfloat16)
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda device: version)


@pytest.mark.parametrize(
    ("version", "bfloat16", "precision"),
    [
        ((9, 0), True, "bfloat16"),
        ((8, 0), True, "bfloat16"),
        ((7, 5), False, "float16"),
        ((7, 0), False, "float16"),
        ((6, 1), False, "float32"),  # computes float16 at a sixty-fourth of the pace
    ],
)
def test_a_gpu_computes_in_what_it_has_units_for(monkeypatch, version, bfloat16, precision):
    capable(monkeypatch, version, bfloat16)
    assert chosen_precision("auto", torch.device("cuda")) == precision
    assert chosen_precision("float32", torch.device("cuda")) == "float32"


def run_of(precision="float32", **changes):
    return Run(build(recipe(**changes), IMAGE, 1), Bars(16), CPU, precision, 0.05, 5,
               Decay(None, 10_000))  # fmt: skip


# float16 ----------------------------------------------------------------------------------------


def gradients(precision):
    run = run_of(precision)
    found = []
    for index, turn in enumerate(run.game.turns):
        for name, network in run.game.networks.items():
            network.requires_grad_(name in turn.players)
        run.rng.manual_seed(3)
        if turn.fresh:
            run.draw()
        run.find_gradients(index, turn.terms)
        run.scalers[index].unscale_(run.optimizers[index])
        found += [p.grad.flatten() for p in run.learnt_in(turn)]
    return torch.cat(found)


def test_scaled_gradients_come_back_to_their_size():
    exact, scaled = gradients("float32"), gradients("float16")
    assert (exact - scaled).norm() < 0.05 * exact.norm()


def make_infinite(run):
    weight = next(run.game.networks["critic"].parameters()).requires_grad_()
    weight.register_hook(lambda slope: slope * float("inf"))


def test_a_step_with_infinite_gradients_is_left_out_and_the_scale_halved():
    run = run_of("float16")
    run.play_round()
    scaler = run.scalers[0]
    before = {name: p.detach().clone() for name, p in run.game.networks.named_parameters()}
    scale = scaler.get_scale()
    make_infinite(run)
    run.play_round()
    for name, now in run.game.networks.named_parameters():
        assert torch.equal(now, before[name]) == name.startswith("critic"), name
    assert scaler.get_scale() == scale / 2


def test_gradients_that_are_never_finite_are_a_divergence():
    run = run_of("float16")
    make_infinite(run)

    def rounds(count):
        for _ in range(count):
            run.play_round()
        run.look()

    rounds(30)  # from 2**16 to 2**-14
    with pytest.raises(Diverged, match="gradients"):
        rounds(1)


def test_the_scales_go_on_where_they_stopped(tmp_path):
    made = recipe(optimizer={"name": "rmsprop"})

    def trained(budget, where):
        return train(build(made, IMAGE, 1), made, Bars(16), budget=budget, precision="float16",
                     checkpoint=where, seed=5)  # fmt: skip

    whole = trained(16 * 8, None)
    trained(16 * 3, tmp_path / "checkpoint.pt")
    parted = trained(16 * 8, tmp_path / "checkpoint.pt")
    for mine, its in zip(whole.generator.parameters(), parted.generator.parameters(), strict=True):
        assert torch.equal(mine, its)


# Compiling --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "names"),
    [
        ({}, {"generator", "critic"}),
        ({"penalties": ({"name": "r1", "settings": {"gamma": 1.0}},)}, {"generator"}),
        ({"normalizers": ({"name": "spectral-norm"},), "critic_norm": "none"}, {"generator"}),
        ({"structure": {"name": "vae-gan"}}, {"critic"}),
    ],
)
def test_what_cannot_be_differentiated_twice_is_not_compiled(changes, names):
    made = recipe(**changes)
    assert set(compilable(build(made, IMAGE, 0).networks, made)) == names


@pytest.mark.parametrize("penalties", [(), ({"name": "r1", "settings": {"gamma": 1.0}},)])
def test_compiled_networks_train_alike(monkeypatch, penalties):
    """With everything of torch.compile but the generation of code, which needs a C++ compiler."""
    seen = []
    compile_ = torch.nn.Module.compile

    def without_code(network, mode):
        seen.append(mode)
        compile_(network, backend="aot_eager")

    monkeypatch.setattr(torch.nn.Module, "compile", without_code)
    made = recipe(penalties=penalties)

    def trained(compiled):
        return train(build(made, IMAGE, 1), made, Bars(16), budget=16 * 4, precision="float32",
                     compiled=compiled, seed=5)  # fmt: skip

    plain, compiled = trained(False), trained(True)
    assert seen == [None] * (1 if penalties else 2)
    for mine, its in zip(
        plain.generator.parameters(), compiled.generator.parameters(), strict=True
    ):
        assert torch.allclose(mine, its, rtol=1e-2, atol=1e-3)


def test_compiling_has_to_repay_itself():
    tried = Trying(plain=1000, compiled=2000, seconds=60, difference=0.001)
    assert not repays(60_000, tried)  # a minute as it is
    assert repays(600_000, tried)  # ten minutes, or six with the compiling
    assert not repays(600_000, tried._replace(compiled=1000 * GAIN))
    assert not repays(600_000, tried._replace(difference=0.2))
    assert not repays(600_000, tried._replace(difference=float("nan")))
    assert worth_trying(600_000, 1000)
    assert not worth_trying(60_000, 1000)


def test_images_are_laid_out_for_convolutions_and_the_rest_as_it_is():
    policy = Policy(CPU, "float32")
    assert policy.placed(torch.zeros(2, 3, 4, 4)).is_contiguous(memory_format=torch.channels_last)
    assert policy.placed(torch.zeros(2)).is_contiguous()


def pace(arm, images_per_second, *, warming=0.0, loss=1.0):
    return Pace(arm=arm, images_per_second=images_per_second, scored_per_second=100.0,
                mebibytes=500.0, warming=warming, losses={"critic": loss})  # fmt: skip


@pytest.fixture
def on_a_gpu(monkeypatch):
    """What arms do compiled: their pace, or why they cannot."""
    outcomes = {}

    def tried(plan, trials, threads, *, halve):
        (trial,) = trials
        assert trial.arm in plan.compiled
        outcome = outcomes[trial.arm]
        if isinstance(outcome, Pace):
            return [outcome]
        raise RuntimeError(outcome)

    monkeypatch.setattr(calibrate, "side_by_side", tried)
    return outcomes


def test_only_arms_that_compiling_repays_are_compiled(on_a_gpu):
    made = plan(["fast", "slow", "broken", "other"])
    made = made.model_copy(update={"device": "cuda"})
    known = Calibration(workers=1, threads=1, paces=[pace(arm, 1000) for arm in made.arms])
    on_a_gpu |= {
        "fast": pace("fast", 4000, warming=60, loss=1.01),
        "slow": pace("slow", 1050, warming=60),
        "broken": "it could not be begun: no Triton here",
        "other": pace("other", 4000, warming=60, loss=3.0),
    }
    told = []
    found, calibration = compiling(made, known, told.append)
    assert found.compiled == ("fast",)
    assert [each.arm for each in calibration.compiled] == ["fast", "slow", "other"]
    assert any("no Triton here" in says for says in told)


def test_short_trials_cpus_and_those_told_not_to_are_not_even_tried(on_a_gpu):
    made = plan(["one"])
    known = Calibration(workers=1, threads=1, paces=[pace("one", 1000)])
    on_a_gpu["one"] = "nobody asked"
    on_gpu = made.model_copy(update={"device": "cuda"})
    for each in (
        made,
        on_gpu.model_copy(update={"compile": "off"}),
        on_gpu.model_copy(update={"budget": 10_000}),
    ):
        told = []
        assert compiling(each, known, told.append) == (each, known)
        assert told == []
    always = made.model_copy(update={"compile": "on"})
    assert compiling(always, known, print)[0].compiled == ("one",)
