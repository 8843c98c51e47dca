"""Auto-encoders as critics, VAE-GAN and VAE: their terms written out, and who learns from what."""

import pytest
import torch
from torch.distributions import Normal, kl_divergence
from torch.nn.functional import binary_cross_entropy

from runner.game import build, sample
from runner.parts import backbone, divergence, loss
from runner.scene import ImageShape
from runner.structures import structure
from runner.structures.encoders import feature_error, to_prior
from runner.train import train
from tests.runner.small import IMAGE, Bars, recipe, scene_of

LABELLED = IMAGE._replace(classes=2)
ERRORS = {
    "mean-absolute": lambda off: off.abs().mean(),
    "euclidean": lambda off: off.square().sum().sqrt(),
}


def auto_encoding(**settings):
    return {"name": "auto-encoder-critic", "settings": {"code": 6, **settings}}


@pytest.mark.parametrize("error", ERRORS)
def test_an_auto_encoders_score_is_minus_its_error(error):
    game = build(recipe(structure=auto_encoding(error=error)), IMAGE, 0)
    scene, critic = scene_of(game), game.networks["critic"]
    for kind in ("real", "fake"):
        rebuilt = critic.decoder(critic.encoder(scene[kind]))
        errors = [ERRORS[error](off) for off in scene[kind] - rebuilt]
        assert torch.allclose(scene[f"{kind}_score"], -torch.stack(errors), atol=1e-5)
    assert scene["fake_features"].shape == (8, 6)
    assert torch.equal(scene["fake_score"], critic(scene["fake"]))


@pytest.mark.parametrize("name", backbone.known)
@pytest.mark.parametrize("normalizer", ["spectral-norm", "weight-norm"])
def test_every_backbone_makes_an_auto_encoder(name, normalizer):
    plan = recipe(name, structure=auto_encoding(), normalizers=({"name": normalizer},),
                  penalties=({"name": "r1"}, {"name": "orthonormal"}))  # fmt: skip
    done = train(build(plan, IMAGE, 0), plan, Bars(), budget=16, precision="float32")
    assert all(torch.tensor(list(look.losses.values())).isfinite().all() for look in done.history)


@pytest.mark.parametrize("name", ["conv", "dcgan"])
def test_without_norms_signals_survive_an_auto_encoder(name):
    """The narrow weights of a DCGAN would give the same image for every code."""
    plan = recipe(name, structure=auto_encoding(), generator_norm="none")
    scene = scene_of(build(plan, IMAGE, 0))
    critic = scene["critic"]
    for images in (scene["fake"], critic.decoder(critic.encoder(scene["real"]))):
        assert images.std(0).mean() > 0.02


def test_the_balance_of_began_moves_in_training_and_is_no_player():
    plan = recipe(
        structure=auto_encoding(),
        divergence="wasserstein",
        loss={"name": "equilibrium", "settings": {"gain": 0.5, "diversity": 1.0}},
    )
    game = build(plan, IMAGE, 0)
    scene = scene_of(game)
    game.networks["balance"].share.fill_(0.5)
    errors = [-scene[f"{kind}_score"].mean().item() for kind in ("real", "fake")]
    scene.work_out(game.turns[0].terms["critic"])
    for consequence in game.turns[0].after:
        scene.work_out(consequence)
    expected = min(1, max(0, 0.5 + 0.5 * (errors[0] - errors[1])))
    assert game.networks["balance"].share.item() == pytest.approx(expected)
    assert expected != 0.5
    assert not list(game.networks["balance"].parameters())


# Codes -------------------------------------------------------------------------------------------


def test_prior_is_the_divergence_of_normal_distributions():
    mean, log_variance = torch.randn(2, 5, 3)
    exact = kl_divergence(Normal(mean, (log_variance / 2).exp()), Normal(0.0, 1.0)).sum(1).mean()
    assert torch.isclose(to_prior(torch.cat([mean, log_variance], 1)), exact)
    assert to_prior(torch.zeros(5, 6)) == 0


def test_features_are_compared_under_unit_noise():
    one, other = torch.randn(2, 4, 3, 2, 2)
    exact = Normal(one, 1.0).log_prob(one) - Normal(one, 1.0).log_prob(other)
    assert torch.isclose(feature_error(one, other), exact.flatten(1).sum(1).mean())


@pytest.mark.parametrize("name", ["vae", "vae-gan"])
def test_codes_are_drawn_as_the_encoder_says(name):
    game = build(recipe("mlp", structure={"name": name}), IMAGE, 0)
    scene = scene_of(game)
    scene.known["code_is"] = torch.cat([torch.full((8, 16), 3.0), torch.full((8, 16), -40.0)], 1)
    assert torch.allclose(scene["code"], torch.full((8, 16), 3.0), atol=1e-6)
    assert torch.equal(scene["rebuilt"], game.networks["generator"](scene["code"]))


def learners(game):
    """Turn by turn: the network that learns from each term."""
    found = []
    for turn in game.turns:
        for name, network in game.networks.items():
            network.requires_grad_(name in turn.players)
        for name, term in turn.terms.items():
            game.networks.zero_grad()
            scene_of(game).work_out(term).backward()
            moved = {n for n, net in game.networks.items()
                     for p in net.parameters() if p.grad is not None and p.grad.any()}  # fmt: skip
            found.append((name, moved))
    return found


def test_who_learns_from_what_in_a_vae_gan():
    """Larsen et al. (2016), Algorithm 1: the encoder never hears the critic's verdict."""
    assert learners(build(recipe(structure={"name": "vae-gan"}), IMAGE, 0)) == [
        ("critic", {"critic"}),
        ("critic-rebuilt", {"critic"}),
        ("encoder", {"encoder"}),
        ("prior", {"encoder"}),
        ("generator", {"generator"}),
        ("generator-rebuilt", {"generator"}),
        ("kept", {"generator"}),
    ]


def test_a_vae_gan_plays_against_samples_and_reconstructions():
    game = build(recipe(structure={"name": "vae-gan", "settings": {"weight": 0.5}}), IMAGE, 0)
    scene, critic = scene_of(game), game.networks["critic"]
    scores = critic(scene["real"]), critic(scene["rebuilt"])
    terms = {name: term for turn in game.turns for name, term in turn.terms.items()}
    softplus = torch.nn.functional.softplus
    expected = softplus(-scores[0]).mean() + softplus(scores[1]).mean()
    assert torch.isclose(scene.work_out(terms["critic-rebuilt"]), expected)
    assert torch.isclose(scene.work_out(terms["generator-rebuilt"]), softplus(-scores[1]).mean())
    off = critic.features(scene["real"]) - critic.features(scene["rebuilt"])
    assert torch.isclose(
        scene.work_out(terms["kept"]), 0.5 * off.square().flatten(1).sum(1).mean() / 2
    )
    assert torch.isclose(scene.work_out(terms["encoder"]), 2 * scene.work_out(terms["kept"]))


def test_a_vae_loses_the_logarithm_of_likelihoods():
    game = build(recipe(structure={"name": "vae"}), IMAGE, 0)
    scene, (turn,) = scene_of(game), game.turns
    assert turn.fresh
    rebuilt, real = (scene["rebuilt"] + 1) / 2, (scene["real"] + 1) / 2
    expected = binary_cross_entropy(rebuilt, real, reduction="none").flatten(1).sum(1).mean()
    assert torch.isclose(scene.work_out(turn.terms["rebuilding"]), expected)
    assert set(game.networks) == {"generator", "encoder"}

    point = ImageShape(channels=2, size=1)
    noisy = {"name": "vae", "settings": {"noise": 0.5}}
    game = build(recipe("mlp", structure=noisy), point, 0)
    scene = scene_of(game, {"real": torch.rand(4, 2, 1, 1)})
    real, rebuilt = scene["real"], scene["rebuilt"]
    exact = Normal(rebuilt, 0.5).log_prob(rebuilt) - Normal(rebuilt, 0.5).log_prob(real)
    got = scene.work_out(game.turns[0].terms["rebuilding"])
    assert torch.isclose(got, exact.flatten(1).sum(1).mean())


def test_a_vae_learns_in_seconds():
    plan = recipe(
        "mlp", structure={"name": "vae"}, optimizer={"rate": 2e-3}, settings={"width": 64}
    )
    done = train(build(plan, IMAGE, 0), plan, Bars(32), budget=32 * 150, precision="float32")
    first, last = (look.losses["rebuilding"] for look in (done.history[0], done.history[-1]))
    assert last < 0.6 * first
    (images,) = sample(done.game, 64, seed=0, batch_size=64)
    wanted = next(Bars(64, seed=9))["real"].mean(0)
    assert (images.mean(0) - wanted).abs().mean() < 0.2


# Every structure ---------------------------------------------------------------------------------


@pytest.mark.parametrize("loss_name", loss.known)
@pytest.mark.parametrize("name", [name for name in structure.known if name != "vae"])
def test_every_loss_and_divergence_plays_in_every_structure(name, loss_name):
    for divergence_name in divergence.known:
        plan = recipe("mlp", structure={"name": name}, loss={"name": loss_name},
                      divergence=divergence_name)  # fmt: skip
        game = build(plan, LABELLED, 0)
        for term in (term for turn in game.turns for term in turn.terms.values()):
            value = scene_of(game).work_out(term)
            assert value.ndim == 0
            assert value.isfinite()


@pytest.mark.parametrize("name", structure.known)
def test_every_structure_plays_with_points_and_halves(name):
    plan = recipe("mlp", structure={"name": name}, augmentations=({"name": "color"},))
    for shape in (LABELLED, ImageShape(1, 1, classes=2)):
        done = train(
            build(plan, shape, 0), plan, Bars(size=shape.size) if shape.size > 1 else Dots(),
            budget=16, precision="bfloat16",
        )  # fmt: skip
        assert next(sample(done.game, 3, seed=0)).shape == (3, *shape[:1], shape.size, shape.size)


class Dots(Bars):
    def __next__(self):
        labels = torch.randint(2, (8,), generator=self.rng)
        return {"real": torch.rand(8, 1, 1, 1, generator=self.rng), "labels": labels}
