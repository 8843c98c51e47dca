"""What each player minimises, given a divergence. The terms' parameters name quantities."""

from collections.abc import Mapping
from typing import Annotated, NamedTuple

import torch
from pydantic import Field
from torch import Tensor, nn
from torch.nn.functional import relu

from runner.parts.divergences import Divergence
from runner.parts.registry import NonNegative, Positive, Registry
from runner.scene import Quantity, Term


class Loss(NamedTuple):
    critic: Term
    generator: Term
    state: Mapping[str, nn.Module] = {}  # what it remembers from step to step, as buffers
    after: tuple[Quantity, ...] = ()  # worked out after each critic step: how the state moves on


loss = Registry[Loss]("loss")


@loss
def minimax(div: Divergence) -> Loss:
    """A zero-sum game (Goodfellow et al., 2014, Eq. 1)."""

    def generator(fake_score: Tensor) -> Tensor:
        return div.fake(fake_score).mean()

    return Loss(tell_apart(div), generator)


@loss
def non_saturating(div: Divergence) -> Loss:
    """The generator wants its images taken for real (Goodfellow et al., 2014, section 3)."""

    return Loss(tell_apart(div), taken_for_real(div))


@loss
def raw_score(div: Divergence) -> Loss:
    """The generator climbs the score itself (Lim and Ye, 2017)."""

    def generator(fake_score: Tensor) -> Tensor:
        return -fake_score.mean()

    return Loss(tell_apart(div), generator)


@loss
def target_score(div: Divergence, *, target: float = 0.0) -> Loss:
    """The generator pulls its scores to a number of its own (Mao et al., 2017, Eq. 2: c).

    With `least-squares-symmetric` and 0 it is the coding a = -1, b = 1, c = 0.
    """

    def generator(fake_score: Tensor) -> Tensor:
        return (fake_score - target).square().mean() / 2

    return Loss(tell_apart(div), generator)


@loss
def relativistic(div: Divergence) -> Loss:
    """Each real image is paired with a fake one (Jolicoeur-Martineau, 2019).

    Half of the paper's general form: for Jensen-Shannon, where both halves are equal, its RSGAN.
    """

    def critic(real_score: Tensor, fake_score: Tensor) -> Tensor:
        apart = real_score - fake_score
        return -(div.real(apart) + div.fake(-apart)).mean() / 2

    def generator(real_score: Tensor, fake_score: Tensor) -> Tensor:
        return critic(real_score=fake_score, fake_score=real_score)

    return Loss(critic, generator)


@loss
def relativistic_average(div: Divergence) -> Loss:
    """Each image is paired with the mean of the others (Jolicoeur-Martineau, 2019).

    With Jensen-Shannon it is RaSGAN, with symmetric least squares (half of) RaLSGAN.
    """

    def critic(real_score: Tensor, fake_score: Tensor) -> Tensor:
        real = div.real(real_score - fake_score.mean()).mean()
        return -real - div.fake(fake_score - real_score.mean()).mean()

    def generator(real_score: Tensor, fake_score: Tensor) -> Tensor:
        return critic(real_score=fake_score, fake_score=real_score)

    return Loss(critic, generator)


@loss
def loss_sensitive(
    div: Divergence,
    *,
    weight: NonNegative = 1.0,
    real_weight: NonNegative = 0.0,
    scale: NonNegative = 2.5,
) -> Loss:
    """LS-GAN (Qi, 2017): a real image loses less than a fake one, by a share of their distance.

    The loss function is -div.real(score); with `wasserstein` that is the paper's free function.
    The paper also minimises the loss of real images (`real_weight` 1), which has no lower bound
    where the function has none; its code leaves that out, as its theory allows. Its margin, 0.0002
    of the summed pixel distance at 64 px in colour, is 2.5 of the mean one.
    """

    def critic(real_score: Tensor, fake_score: Tensor, margin: Tensor) -> Tensor:
        real, fake = -div.real(real_score), -div.real(fake_score)
        return real_weight * real.mean() + weight * relu(scale * margin + real - fake).mean()

    return Loss(critic, taken_for_real(div))


@loss
def generalized_loss_sensitive(
    div: Divergence, *, slope: Annotated[float, Field(le=1)] = 0.01, scale: NonNegative = 2.5
) -> Loss:
    """GLS-GAN (Qi, 2017): beyond the margin a real image may still gain, by a leaky ramp.

    The cost is max(a, slope a): with slope 0 it is LS-GAN, with slope 1 (on `wasserstein`) WGAN.
    The slope is a placeholder close to the first.
    """

    def critic(real_score: Tensor, fake_score: Tensor, margin: Tensor) -> Tensor:
        excess = scale * margin - div.real(real_score) + div.real(fake_score)
        return torch.maximum(excess, slope * excess).mean()

    return Loss(critic, taken_for_real(div))


@loss
def energy(div: Divergence, *, margin: Positive = 10.0) -> Loss:
    """EBGAN (Zhao et al., 2017, Eqs. 1 and 2): a score is minus an energy, measured in margins.

    With `hinge` the critic minimises D(x) + relu(m - D(G(z))), up to the constant m, and the
    generator D(G(z)). The margin is of the size that a critic's energies have: in the paper 10 for
    digits, 20 to 80 for photographs of 64 to 256 px.
    """
    apart = tell_apart(div)

    def critic(real_score: Tensor, fake_score: Tensor) -> Tensor:
        return margin * apart(real_score=real_score / margin, fake_score=fake_score / margin)

    def generator(fake_score: Tensor) -> Tensor:
        return -fake_score.mean()

    return Loss(critic, generator)


@loss
def equilibrium(div: Divergence, *, diversity: Positive = 0.5, gain: Positive = 0.001) -> Loss:
    """BEGAN (Berthelot et al., 2017, section 3.4): a balance holds both players level.

    The critic minds fake images by a share k, which grows while they lose less than `diversity`
    (the paper's gamma) times what real images lose. With `wasserstein` on reconstruction errors
    it is the paper's: L(x) - k L(G(z)) against L(G(z)). The balance moves by the errors of the
    critic's turn, as its batch has them at hand.
    """

    def critic(real_score: Tensor, fake_score: Tensor, balance: Balance) -> Tensor:
        return -div.real(real_score).mean() - balance.share * div.fake(fake_score).mean()

    def move(real_score: Tensor, fake_score: Tensor, balance: Balance) -> None:
        with torch.no_grad():
            real, fake = -div.real(real_score).mean(), -div.real(fake_score).mean()
            balance.share.add_(gain * (diversity * real - fake)).clamp_(0, 1)

    return Loss(critic, taken_for_real(div), {"balance": Balance()}, (move,))


class Balance(nn.Module):
    """BEGAN's k: by how much the critic minds fake images, from 0 to 1."""

    share: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("share", torch.zeros(()))


def taken_for_real(div: Divergence) -> Term:
    def generator(fake_score: Tensor) -> Tensor:
        return -div.real(fake_score).mean()

    return generator


def tell_apart(div: Divergence) -> Term:
    def critic(real_score: Tensor, fake_score: Tensor) -> Tensor:
        return -div.real(real_score).mean() - div.fake(fake_score).mean()

    return critic
