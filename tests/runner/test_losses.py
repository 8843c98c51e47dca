"""Divergences and losses against the formulas of their papers."""

from math import erf, exp, log, sqrt

import pytest
import torch
from torch.nn.functional import binary_cross_entropy_with_logits as bce
from torch.nn.functional import logsigmoid, relu

from knowledge.schema import Part
from runner.game import build
from runner.parts import divergence, loss
from tests.runner.small import IMAGE, recipe, scene_of

REAL = torch.randn(64, generator=torch.Generator().manual_seed(1), dtype=torch.double)
FAKE = torch.randn(64, generator=torch.Generator().manual_seed(2), dtype=torch.double) - 0.5
ONE, ZERO = torch.ones_like(REAL), torch.zeros_like(REAL)
ENERGIES = REAL.exp() + 1, FAKE.exp() / 4
MARGIN = torch.rand(64, generator=torch.Generator().manual_seed(3), dtype=torch.double)


def losses(loss_name, divergence_name, **settings):
    div = made(divergence_name)
    return loss.get(Part(name=loss_name, settings=settings))(div)


def made(name):
    """`alpha=2` is the divergence with that setting."""
    name, _, alpha = name.partition("=")
    return divergence.get(Part(name=name, settings={"alpha": float(alpha)} if alpha else {}))()


# What a divergence is worth between N(0, 1) and N(m, 1) -----------------------------------------

M = 0.8
X = torch.linspace(-14, 14, 200_001, dtype=torch.double)
P, Q = (torch.distributions.Normal(m, 1).log_prob(X).exp() for m in (0.0, M))
LOG_RATIO = torch.log(P) - torch.log(Q)
RATIO = LOG_RATIO.exp()


def integral(values):
    return torch.trapezoid(values, X).item()


def value(div, score):
    return integral(P * div.real(score) + Q * div.fake(score))


TWICE_JS = integral(P * torch.log(2 * P / (P + Q)) + Q * torch.log(2 * Q / (P + Q)))
HARMONIC = integral(2 * P * Q / (P + Q))  # LSGAN's value at its best critic (Mao et al., Eq. 6)


def alpha_score(alpha):
    """f'(u) = (u^(alpha - 1) - 1) / (alpha - 1) = g(v*)."""
    power = ((alpha - 1) * LOG_RATIO).exp()
    if alpha > 1:
        return (power - 1) / (alpha - 1)
    steep = power / (1 - alpha)  # = log(1 + exp(-v))
    return -(steep + torch.log(-torch.expm1(-steep)))


def alpha_worth(alpha):
    """The integral of p^alpha q^(1 - alpha) is exp(alpha (alpha - 1) m^2 / 2)."""
    return (exp(alpha * (alpha - 1) * M**2 / 2) - 1) / (alpha * (alpha - 1))


# name: the best score (Nowozin et al., 2016: T* = f'(p/q) = g(v*)), what it is worth, and what the
# best constant score is worth, which is the value for P = Q.
BEST = {
    "jensen-shannon": (LOG_RATIO, TWICE_JS - log(4), -log(4)),
    "kl": (1 + LOG_RATIO, M**2 / 2, 0),
    "reverse-kl": (LOG_RATIO, M**2 / 2, 0),
    "pearson": (2 * (RATIO - 1), exp(M**2) - 1, 0),
    "neyman": (2 * LOG_RATIO, exp(M**2) - 1, 0),
    "total-variation": (30 * LOG_RATIO.sign(), erf(M / sqrt(8)), 0),  # approached, never reached
    "alpha=-1": (alpha_score(-1), alpha_worth(-1), 0),
    "alpha=0.5": (alpha_score(0.5), alpha_worth(0.5), 0),
    "alpha=1.5": (alpha_score(1.5), alpha_worth(1.5), 0),
    "alpha=2": (alpha_score(2), alpha_worth(2), 0),
    "squared-hellinger": (LOG_RATIO / 2, 2 - 2 * exp(-(M**2) / 8), 0),
    "wasserstein": (-X, M, 0),  # the steepest 1-Lipschitz critic
    "hinge": (LOG_RATIO.sign(), -2 + 2 * erf(M / sqrt(8)), -2),
    "least-squares": (P / (P + Q), -HARMONIC / 4, -1 / 4),
    "least-squares-symmetric": ((P - Q) / (P + Q), -HARMONIC, -1),
}


ENDLESS = ("wasserstein", "total-variation")  # no critic is the best without a bound of its own


def test_every_divergence_is_tested():
    assert {name.partition("=")[0] for name in BEST} == set(divergence.known)


@pytest.mark.parametrize("name", BEST)
def test_best_critic_reaches_the_closed_form(name):
    score, worth, _ = BEST[name]
    assert value(made(name), score) == pytest.approx(worth, abs=1e-6)


@pytest.mark.parametrize("name", [name for name in BEST if name not in ENDLESS])
def test_no_other_critic_is_better(name):
    score, worth, _ = BEST[name]
    div = made(name)
    for bend in (torch.sin(X), torch.cos(3 * X), torch.ones_like(X)):
        for size in (-0.1, 0.1):
            assert value(div, score + size * bend) < worth


@pytest.mark.parametrize("name", BEST)
def test_divergence_of_a_distribution_from_itself(name):
    """With P = Q the best critic is constant; for an f-divergence it reaches f(1) = 0."""
    div, score = made(name), torch.linspace(-8, 8, 160_001).double()
    assert (div.real(score) + div.fake(score)).max().item() == pytest.approx(
        BEST[name][2], abs=1e-6
    )


# Textbook losses ---------------------------------------------------------------------------------


def mean_log_sigmoid(scores):
    return logsigmoid(scores).mean()


TEXTBOOK = {
    ("minimax", "jensen-shannon"): (  # Goodfellow et al. (2014)
        bce(REAL, ONE) + bce(FAKE, ZERO),
        torch.log(1 - torch.sigmoid(FAKE)).mean(),
    ),
    ("non-saturating", "jensen-shannon"): (
        bce(REAL, ONE) + bce(FAKE, ZERO),
        bce(FAKE, ONE),
    ),
    ("minimax", "wasserstein"): (  # Arjovsky et al. (2017)
        FAKE.mean() - REAL.mean(),
        -FAKE.mean(),
    ),
    ("non-saturating", "least-squares"): (  # Mao et al. (2017), Eq. 9
        (REAL - 1).square().mean() / 2 + FAKE.square().mean() / 2,
        (FAKE - 1).square().mean() / 2,
    ),
    ("target-score", "least-squares-symmetric"): (  # Mao et al. (2017), Eq. 8: a=-1, b=1, c=0
        (REAL - 1).square().mean() / 2 + (FAKE + 1).square().mean() / 2,
        FAKE.square().mean() / 2,
    ),
    ("raw-score", "hinge"): (  # Lim and Ye (2017); Miyato et al. (2018), Eqs. 16 and 17
        relu(1 - REAL).mean() + relu(1 + FAKE).mean(),
        -FAKE.mean(),
    ),
    ("relativistic", "jensen-shannon"): (  # RSGAN, Jolicoeur-Martineau (2019)
        -mean_log_sigmoid(REAL - FAKE),
        -mean_log_sigmoid(FAKE - REAL),
    ),
    ("relativistic-average", "jensen-shannon"): (  # RaSGAN
        -mean_log_sigmoid(REAL - FAKE.mean())
        - torch.log(1 - torch.sigmoid(FAKE - REAL.mean())).mean(),
        -mean_log_sigmoid(FAKE - REAL.mean())
        - torch.log(1 - torch.sigmoid(REAL - FAKE.mean())).mean(),
    ),
    ("relativistic-average", "least-squares-symmetric"): (  # half of RaLSGAN
        ((REAL - FAKE.mean() - 1).square() + (FAKE - REAL.mean() + 1).square()).mean() / 2,
        ((FAKE - REAL.mean() - 1).square() + (REAL - FAKE.mean() + 1).square()).mean() / 2,
    ),
    ("relativistic-average", "hinge"): (  # RaHingeGAN
        (relu(1 - (REAL - FAKE.mean())) + relu(1 + (FAKE - REAL.mean()))).mean(),
        (relu(1 + (REAL - FAKE.mean())) + relu(1 - (FAKE - REAL.mean()))).mean(),
    ),
}


@pytest.mark.parametrize("pair", TEXTBOOK, ids="+".join)
def test_textbook_losses(pair):
    ours, (critic, generator) = losses(*pair), TEXTBOOK[pair]
    inputs = {"real_score": REAL, "fake_score": FAKE}
    assert torch.isclose(ours.critic(**inputs), critic)
    wanted = {"fake_score": FAKE} if not pair[0].startswith("relativistic") else inputs
    assert torch.isclose(ours.generator(**wanted), generator)


def test_loss_sensitive_gan():
    """Qi (2017) with L = -score: real images lose less than fake ones by a margin."""
    ours = losses("loss-sensitive", "wasserstein", weight=3.0, real_weight=1.0, scale=0.5)
    hinged = relu(0.5 * MARGIN - REAL + FAKE).mean()
    critic = ours.critic(real_score=REAL, fake_score=FAKE, margin=MARGIN)
    assert torch.isclose(critic, -REAL.mean() + 3.0 * hinged)
    assert torch.isclose(ours.generator(fake_score=FAKE), -FAKE.mean())


def test_loss_sensitive_critic_rests_once_the_margin_is_kept():
    """As it stands in its authors' code: no reward for losses without end."""
    ours = losses("loss-sensitive", "wasserstein")
    apart = ours.critic(real_score=FAKE + 2.5 * MARGIN + 0.1, fake_score=FAKE, margin=MARGIN)
    assert apart.item() == 0


@pytest.mark.parametrize("slope", [-1.0, 0.0, 0.3, 1.0])
def test_generalised_loss_sensitive_gan(slope):
    """Qi (2017): the cost max(a, slope a) of the margin that is missing."""
    ours = losses("generalized-loss-sensitive", "wasserstein", slope=slope, scale=0.5)
    missing = 0.5 * MARGIN - REAL + FAKE
    cost = torch.where(missing > slope * missing, missing, slope * missing).mean()
    assert torch.isclose(ours.critic(REAL, FAKE, MARGIN), cost)
    assert torch.isclose(ours.generator(FAKE), -FAKE.mean())


def test_the_ends_of_the_generalised_loss_are_ls_gan_and_wgan():
    def critic(slope):
        ours = losses("generalized-loss-sensitive", "wasserstein", slope=slope)
        return ours.critic(REAL, FAKE, MARGIN)

    ls_gan = losses("loss-sensitive", "wasserstein").critic(REAL, FAKE, MARGIN)
    wgan = losses("minimax", "wasserstein").critic(REAL, FAKE)
    assert torch.isclose(critic(0.0), ls_gan)
    assert torch.isclose(critic(1.0), wgan + 2.5 * MARGIN.mean())  # but for a constant


def test_energy_is_the_loss_of_ebgan():
    """Zhao et al. (2017), Eqs. 1 and 2, with D = -score."""
    ours, real, fake = losses("energy", "hinge", margin=2.0), REAL.exp(), FAKE.exp()
    critic = real.mean() + relu(2 - fake).mean()
    assert torch.isclose(ours.critic(-real, -fake), critic + 2)  # but for the constant m
    assert torch.isclose(ours.generator(-fake), fake.mean())


def test_equilibrium_is_began():
    """Berthelot et al. (2017), section 3.4: both losses, and the balance step by step."""
    ours, real, fake = losses("equilibrium", "wasserstein", diversity=0.5, gain=0.1), *ENERGIES
    balance, (move,) = ours.state["balance"].double(), ours.after
    share = 0.0
    for _ in range(5):
        critic = ours.critic(-real, -fake, balance)
        assert torch.isclose(critic, real.mean() - share * fake.mean())
        move(-real, -fake, balance)
        share = min(1.0, max(0.0, share + 0.1 * (0.5 * real.mean() - fake.mean()).item()))
        assert balance.share.item() == pytest.approx(share)
    assert 0 < share < 1
    assert torch.isclose(ours.generator(-fake), fake.mean())


def test_the_balance_stays_between_nothing_and_all():
    ours, real, fake = losses("equilibrium", "wasserstein", gain=100.0), *ENERGIES
    balance, (move,) = ours.state["balance"], ours.after
    move(-real.float(), -fake.float(), balance)
    assert balance.share == 1
    move(-fake.float(), -real.float(), balance)
    assert balance.share == 0


@pytest.mark.parametrize("divergence_name", divergence.known)
@pytest.mark.parametrize("loss_name", loss.known)
def test_every_loss_plays_every_divergence(loss_name, divergence_name):
    game = build(recipe("mlp", divergence=divergence_name, loss={"name": loss_name}), IMAGE, 0)
    for turn in game.turns:
        (player,) = turn.players
        scene = scene_of(game)
        total = sum(scene.work_out(term) for term in turn.terms.values())
        assert total.ndim == 0
        gradients = torch.autograd.grad(total, list(game.networks[player].parameters()))
        assert all(g.isfinite().all() for g in gradients)
        assert any(g.abs().max() > 0 for g in gradients)
