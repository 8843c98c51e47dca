"""One generated batch teaches both players."""

import copy

import pytest
import torch

from runner.game import build
from runner.rounds import Decay, Run
from tests.runner.small import IMAGE, Bars, recipe


def run_of(plan, parts=1):
    run = Run(build(plan, IMAGE, 1), Bars(8), torch.device("cpu"), "float32", 0.05, 5,
              Decay(None, 100))  # fmt: skip
    run.parts = parts
    return run


def generated(run, rounds):
    """How many images the generator is asked for."""
    counts = []
    run.game.networks["generator"].register_forward_hook(
        lambda _, given, __: counts.append(len(given[0]))
    )
    for _ in range(rounds):
        run.play_round()
    return counts


@pytest.mark.parametrize("steps", [1, 5])
def test_the_generator_is_not_asked_again_for_its_own_turn(steps):
    plan = recipe(optimizer={"critic_steps": steps})
    assert generated(run_of(plan), 2) == [8] * steps * 2


def test_in_parts_it_is_since_nothing_that_gradients_need_outlives_a_part():
    assert generated(run_of(recipe(), parts=2), 1) == [4, 4, 4, 4]


def test_a_structure_with_a_turn_in_between_shares_nothing():
    run = run_of(recipe(structure={"name": "vae-gan"}))
    assert not any(turn.shares for turn in run.game.turns)


def test_gradients_are_those_of_generating_the_batch_again():
    """Without batch norm, whose statistics would move twice."""
    plan = recipe("mlp", critic_norm="none", generator_norm="none")
    shared, again = run_of(plan), run_of(plan)
    again.game.networks.load_state_dict(copy.deepcopy(shared.game.networks.state_dict()))
    shared.play_round()
    critic, generator = again.game.turns
    again.step(0, critic)
    again.rng.manual_seed(again.seed)  # the same latents once more
    for name, network in again.game.networks.items():
        network.requires_grad_(name in generator.players)
    again.step(1, generator)
    for mine, its in zip(
        shared.game.networks.parameters(), again.game.networks.parameters(), strict=True
    ):
        assert torch.equal(mine, its)


def test_the_critic_leaves_no_gradient_in_the_generator():
    run = run_of(recipe())
    critic, generator = run.game.turns
    for name, network in run.game.networks.items():
        network.requires_grad_(name in critic.players)
    run.step(0, critic, generator)
    assert all(p.grad is None for p in run.game.networks["generator"].parameters())
    assert not any(p.requires_grad for p in run.game.networks["generator"].parameters())
