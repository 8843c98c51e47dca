"""What each player minimises, given a divergence. The terms' parameters name quantities."""

from typing import NamedTuple

from torch import Tensor
from torch.nn.functional import relu

from runner.parts.divergences import Divergence
from runner.parts.registry import NonNegative, Registry
from runner.scene import Term


class Loss(NamedTuple):
    critic: Term
    generator: Term


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

    def generator(fake_score: Tensor) -> Tensor:
        return -div.real(fake_score).mean()

    return Loss(tell_apart(div), generator)


@loss
def raw_score(div: Divergence) -> Loss:
    """The generator climbs the score itself (Lim and Ye, 2017)."""

    def generator(fake_score: Tensor) -> Tensor:
        return -fake_score.mean()

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

    def generator(fake_score: Tensor) -> Tensor:
        return -div.real(fake_score).mean()

    return Loss(critic, generator)


def tell_apart(div: Divergence) -> Term:
    def critic(real_score: Tensor, fake_score: Tensor) -> Tensor:
        return -div.real(real_score).mean() - div.fake(fake_score).mean()

    return critic
