"""Penalties, normalizers and constraints against critics whose slopes are known."""

import pytest
import torch
from torch import nn

from knowledge.schema import Part
from runner.game import build
from runner.parts import constraint, generator_penalty, normalizer, penalty
from runner.scene import Scene, terms_due
from tests.runner.small import IMAGE, recipe, scene_of

N = 16


class Linear(nn.Module):
    """A critic with the same slope everywhere."""

    def __init__(self, weights):
        super().__init__()
        self.weights = nn.Parameter(weights)

    def forward(self, images):
        return images.flatten(1) @ self.weights


class Bowl(nn.Module):
    """A critic whose slope at an image is the image, so that it tells where slopes are taken."""

    def __init__(self):
        super().__init__()
        self.seen = []

    def forward(self, images):
        self.seen.append(images.detach())
        return images.flatten(1).square().sum(1) / 2


@pytest.fixture
def stage():
    rng = torch.Generator().manual_seed(0)
    real, fake = (torch.rand(N, 1, 4, 4, generator=rng) for _ in range(2))
    return {"real": real, "fake": fake, "rng": rng}


def worth(name, critic, stage, **settings):
    term = penalty.get(Part(name=name, settings=settings))
    return Scene({}, {"critic": critic, **stage}).work_out(term)


LENGTHS = [0.0, 0.25, 1.0, 3.0]


def weights_of(length):
    direction = torch.randn(16, generator=torch.Generator().manual_seed(4))
    return length * direction / direction.norm()


@pytest.mark.parametrize("length", LENGTHS)
@pytest.mark.parametrize("name", ["gradient-penalty", "dragan"])
def test_slope_one_penalties_of_a_linear_critic(name, length, stage):
    critic = Linear(weights_of(length))
    assert worth(name, critic, stage, weight=7.0).item() == pytest.approx(
        7 * (length - 1) ** 2, abs=1e-5
    )
    one_sided = worth(name, critic, stage, weight=7.0, target=0.5, one_sided=True)
    assert one_sided.item() == pytest.approx(7 * max(0, length - 0.5) ** 2, abs=1e-5)


@pytest.mark.parametrize("length", LENGTHS)
@pytest.mark.parametrize("name", ["r1", "r2"])
def test_flatness_penalties_of_a_linear_critic(name, length, stage):
    critic = Linear(weights_of(length))
    assert worth(name, critic, stage, gamma=3.0).item() == pytest.approx(1.5 * length**2, abs=1e-5)


def test_r1_looks_at_real_and_r2_at_fake_images(stage):
    for name, images in (("r1", stage["real"]), ("r2", stage["fake"])):
        expected = images.flatten(1).square().sum(1).mean() / 2
        assert torch.isclose(worth(name, Bowl(), stage, gamma=1.0), expected)


@pytest.mark.parametrize("name", ["gradient-penalty", "dragan", "r1", "r2"])
@pytest.mark.parametrize("length", LENGTHS)
def test_the_penalty_teaches_the_critic(name, length, stage):
    """The gradient of a penalty in the weights is that of its closed form, also where flat."""
    critic = Linear(weights_of(length))
    (gradient,) = torch.autograd.grad(worth(name, critic, stage), critic.parameters())
    direction = weights_of(1.0)
    closed = 10 * length if name in ("r1", "r2") else 20 * (length - 1) * (length > 0)
    assert torch.allclose(gradient, closed * direction, atol=1e-4)


def test_gradient_penalty_draws_one_place_per_image_on_the_line_from_real_to_fake(stage):
    critic = Bowl()
    worth("gradient-penalty", critic, stage)
    (between,) = critic.seen
    shares = (between - stage["real"]) / (stage["fake"] - stage["real"])
    own = shares[:, :1, :1, :1]
    assert torch.allclose(shares, own.expand_as(shares), atol=1e-2)
    assert own.min() >= 0
    assert own.max() <= 1
    assert own.flatten().unique().numel() == N


def test_dragan_stays_around_real_images(stage):
    critic = Bowl()
    worth("dragan", critic, stage, spread=0.5)
    away = critic.seen[0] - stage["real"]
    assert away.min() >= 0
    assert away.max() <= 0.5 * stage["real"].std()
    assert away.flatten(1).std(1).min() > 0


def test_orthonormal_penalty_is_zero_for_orthonormal_weights_and_exact_elsewhere():
    wide, tall = nn.Linear(8, 4), nn.Linear(4, 8)
    for layer in (wide, tall):
        nn.init.orthogonal_(layer.weight)
    critic = nn.Sequential(wide, tall)
    term = penalty.get(Part(name="orthonormal", settings={"weight": 2.0}))
    assert term(critic=critic).item() == pytest.approx(0, abs=1e-6)
    with torch.no_grad():
        wide.weight.mul_(2)  # the Gram matrix becomes 4 times the identity of four rows
    assert term(critic=critic).item() == pytest.approx(2 * 4 * 3**2, rel=1e-5)


def test_penalties_are_worked_out_in_float32_under_autocast(stage):
    critic = nn.Sequential(nn.Flatten(), nn.Linear(16, 1), nn.Flatten(0))
    half = {name: t.bfloat16().float() if name == "fake" else t for name, t in stage.items()}
    for name in ("gradient-penalty", "dragan", "r1", "r2", "orthonormal"):
        expected = worth(name, critic, half | {"rng": torch.Generator().manual_seed(1)})
        with torch.autocast("cpu", torch.bfloat16):
            stage_now = half | {
                "rng": torch.Generator().manual_seed(1),
                "fake": half["fake"].bfloat16(),
            }
            ours = worth(name, critic, stage_now)
        assert ours.dtype == torch.float32
        assert torch.equal(ours, expected)


def test_lazy_penalty_is_rare_and_weighs_the_same_on_average(stage):
    def total(interval):
        part = {"name": "r1", "settings": {"interval": interval}}
        (critic, _) = build(recipe(penalties=(part,)), IMAGE, 0).turns
        due = [terms_due(critic, step).get("r1") for step in range(12)]
        linear = Linear(weights_of(3.0))
        worths = [term(critic=linear, real=stage["real"]).item() if term else 0 for term in due]
        return sum(worths), sum(map(bool, worths))

    eager, lazy = total(1), total(4)
    assert (eager[1], lazy[1]) == (12, 3)
    assert lazy[0] == pytest.approx(eager[0])


# Normalizers -------------------------------------------------------------------------------------


@pytest.mark.parametrize("backbone", ["mlp", "conv", "dcgan", "resnet"])
def test_spectral_norm_divides_by_the_largest_singular_value(backbone):
    game = build(recipe(backbone, normalizers=({"name": "spectral-norm"},)), IMAGE, 0)
    critic = game.networks["critic"]
    images = torch.randn(2, *(1, 16, 16))
    for _ in range(300):
        critic(images)
    layers = [m for m in critic.modules() if isinstance(m, nn.Linear | nn.Conv2d)]
    assert layers
    for layer in layers:
        values = torch.linalg.svdvals(layer.weight.flatten(1))
        assert values[0].item() == pytest.approx(1, abs=0.02)
        original = layer.parametrizations.weight.original.flatten(1)
        assert torch.allclose(values, torch.linalg.svdvals(original / torch.linalg.svdvals(original)[0]),
                              atol=0.02)  # fmt: skip


def test_weight_norm_keeps_the_weights_and_separates_their_length():
    plain = build(recipe(), IMAGE, 0).networks["critic"]
    normed = build(recipe(normalizers=({"name": "weight-norm"},)), IMAGE, 0).networks["critic"]
    images = torch.randn(4, 1, 16, 16)
    assert torch.allclose(plain(images), normed(images), atol=1e-5)
    layer = normed.body[0]
    lengths, directions = layer.parametrizations.weight.original0, layer.weight.flatten(1)
    assert torch.allclose(directions.norm(dim=1), lengths.flatten(), atol=1e-5)


def test_consistency_compares_a_score_with_that_of_a_moved_twin(stage):
    """Zhang et al. (2020): the twin is mirrored, moved by whole pixels, or both."""
    stage["real_score"] = Bowl()(stage["real"])
    critic = Bowl()
    got = worth("consistency", critic, stage, weight=3.0, reach=0.25)
    (twin,) = critic.seen
    assert torch.isclose(got, 3 * (stage["real_score"] - Bowl()(twin)).square().mean())
    for image, moved in zip(stage["real"], twin, strict=True):
        padded = torch.nn.functional.pad(image, (1, 1, 1, 1))
        whole = [source[:, y : y + 4, x : x + 4] for source in (padded, padded.flip(2))
                 for y in range(3) for x in range(3)]  # fmt: skip
        assert any(torch.equal(moved, part) for part in whole)
    assert worth("consistency", Bowl(), stage, reach=0.0, flip=False) == 0


def pulled(features, weight=1.0):
    part = Part(name="pulling-away", settings={"weight": weight})
    return generator_penalty.get(part)(fake_features=features).item()


def test_pulling_away_is_the_mean_squared_cosine_of_pairs():
    """Zhao et al. (2017), Eq. 3."""
    rng = torch.Generator().manual_seed(0)
    features = torch.randn(6, 5, generator=rng)
    cosines = [torch.cosine_similarity(a, b, dim=0) ** 2
               for i, a in enumerate(features) for j, b in enumerate(features) if i != j]  # fmt: skip
    assert pulled(features, 2.0) == pytest.approx(2 * torch.stack(cosines).mean().item(), rel=1e-5)
    assert pulled(torch.eye(4)) == pytest.approx(0, abs=1e-6)
    assert pulled(torch.ones(4, 3)) == pytest.approx(1)


@pytest.mark.parametrize("backbone", ["mlp", "resnet"])
@pytest.mark.parametrize("normalizer_name", normalizer.known)
@pytest.mark.parametrize("penalty_name", penalty.known)
def test_every_penalty_goes_with_every_normalizer(penalty_name, normalizer_name, backbone):
    game = build(
        recipe(
            backbone, penalties=({"name": penalty_name},), normalizers=({"name": normalizer_name},)
        ),
        IMAGE,
        0,
    )
    critic = game.turns[0]
    scene = scene_of(game)
    with torch.autocast("cpu", torch.bfloat16):
        total = sum(scene.work_out(term) for term in critic.terms.values())
    total.backward()
    gradients = [p.grad for p in game.networks["critic"].parameters()]
    assert all(g is not None and g.isfinite().all() for g in gradients)


# Constraints -------------------------------------------------------------------------------------


def test_weight_clipping_clips_and_leaves_the_rest():
    critic = nn.Linear(2, 2)
    with torch.no_grad():
        critic.weight.copy_(torch.tensor([[-0.3, 0.05], [0.1, 0.2]]))
        critic.bias.copy_(torch.tensor([0.0, 9.0]))
    constraint.get(Part(name="weight-clipping", settings={"limit": 0.1}))(critic)
    assert torch.equal(critic.weight, torch.tensor([[-0.1, 0.05], [0.1, 0.1]]))
    assert torch.equal(critic.bias, torch.tensor([0.0, 0.1]))
