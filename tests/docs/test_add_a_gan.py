"""docs/how-to/add-a-gan.md: the divergence that it adds is the one it says, and can be trained."""

import pytest
import torch
from typer.testing import CliRunner

from knowledge.schema import Part
from runner.cli import app
from runner.game import build
from runner.parts import divergences
from runner.train import train
from tests.docs.blocks import Written, commands, ours, steps
from tests.runner.small import IMAGE, Bars, recipe

PAGE = "docs/how-to/add-a-gan.md"
WRITTEN = {step.path: step.text for step in steps(PAGE) if isinstance(step, Written)}


@pytest.fixture
def triangular():
    """The page's block as if it stood at the end of the file that it names."""
    exec(WRITTEN["runner/parts/divergences.py"], vars(divergences))  # noqa: S102 - our own page
    yield divergences.divergence.get(Part(name="triangular"))()
    del divergences.divergence.known["triangular"], divergences.triangular


def test_the_best_critic_reaches_the_closed_form_and_no_other_does(triangular):
    p, q = torch.tensor([0.1, 0.4, 0.5]), torch.tensor([0.3, 0.3, 0.4])

    def reached(score):
        return (p * triangular.real(score) + q * triangular.fake(score)).sum()

    truth = ((p - q).square() / (p + q)).sum()
    best = (p / q).log()
    torch.testing.assert_close(reached(best), truth)
    others = torch.randn(100, 3, generator=torch.Generator().manual_seed(0))
    assert all(reached(best + other) < truth for other in others)


def test_a_game_of_it_trains(triangular):
    plan = recipe(divergence="triangular")
    game = build(plan, IMAGE, 0)
    before = [weight.detach().clone() for weight in game.networks["generator"].parameters()]
    train(game, plan, Bars(), budget=64)
    after = list(game.networks["generator"].parameters())
    assert all(weight.isfinite().all() for weight in after)
    assert any(not torch.equal(one, other) for one, other in zip(before, after, strict=True))


@pytest.mark.usefixtures("triangular")
def test_its_recipe_is_shown(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "triangular.yaml").write_text(WRITTEN["triangular.yaml"])
    (command,) = [each for each in commands() if "triangular.yaml" in each.text]
    ((_, *words),) = ours(command.text)
    done = CliRunner().invoke(app, words)
    assert done.exit_code == 0, done.output
    assert "generator" in done.output
    assert "critic" in done.output
