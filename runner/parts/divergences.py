"""How far apart two distributions are, as a critic sees it."""

from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn.functional import relu, softplus

from runner.parts.registry import PartError, Registry


class Divergence(NamedTuple):
    """The critic D maximises E[real(D(x))] + E[fake(D(G(z)))]."""

    real: Callable[[Tensor], Tensor]
    fake: Callable[[Tensor], Tensor]


divergence = Registry[Divergence]("divergence")

# f-divergences in their variational form (Nowozin et al., 2016, Tables 1, 2 and 6). A raw score v
# becomes T = g(v), in the domain of the conjugate f*; then real = T and fake = -f*(T).


@divergence
def jensen_shannon() -> Divergence:
    """2 JS(P, Q) - log 4, with the critic's sigmoid taken in (Goodfellow et al., 2014, Eq. 1).

    f-GAN lists it as "GAN", and beside it "Jensen-Shannon": the same two functions plus log 2 each.
    """
    return Divergence(real=lambda v: -softplus(-v), fake=lambda v: -softplus(v))


@divergence
def kl() -> Divergence:
    """KL(P || Q): g(v) = v, f*(t) = exp(t - 1)."""
    return Divergence(real=lambda v: v, fake=lambda v: -(v - 1).exp())


@divergence
def reverse_kl() -> Divergence:
    """KL(Q || P): g(v) = -exp(-v), f*(t) = -1 - log(-t)."""
    return Divergence(real=lambda v: -(-v).exp(), fake=lambda v: 1 - v)


@divergence
def pearson() -> Divergence:
    """Pearson's chi-squared, E_Q[(p/q - 1)^2]: g(v) = v, f*(t) = t^2 / 4 + t."""
    return Divergence(real=lambda v: v, fake=lambda v: -v - v.square() / 4)


@divergence
def neyman() -> Divergence:
    """Neyman's chi-squared, E_P[(q/p - 1)^2]: g(v) = 1 - exp(-v), f*(t) = 2 - 2 sqrt(1 - t)."""
    return Divergence(real=lambda v: 1 - (-v).exp(), fake=lambda v: 2 * (-v / 2).exp() - 2)


@divergence
def squared_hellinger() -> Divergence:
    """The integral of (sqrt p - sqrt q)^2: g(v) = 1 - exp(-v), f*(t) = t / (1 - t)."""
    return Divergence(real=lambda v: 1 - (-v).exp(), fake=lambda v: 1 - v.exp())


@divergence
def total_variation() -> Divergence:
    """Half the integral of |p - q|: g(v) = tanh(v) / 2, f*(t) = t."""
    return Divergence(real=lambda v: v.tanh() / 2, fake=lambda v: -v.tanh() / 2)


@divergence
def alpha(*, alpha: float = 0.5) -> Divergence:
    """(E_Q[(p/q)^alpha] - 1) / (alpha (alpha - 1)); at 0.5 twice squared Hellinger, at 2 Pearson/2.

    Below 1: g(v) = 1/(1 - alpha) - log(1 + exp(-v)), above: g(v) = v;
    f*(t) = ((t (alpha - 1) + 1)^(alpha / (alpha - 1)) - 1) / alpha.
    """
    if alpha in (0, 1):
        raise PartError("divergence 'alpha' is 'reverse-kl' at 0 and 'kl' at 1: ask for those")

    def real(v: Tensor) -> Tensor:
        return 1 / (1 - alpha) - softplus(-v) if alpha < 1 else v

    def fake(v: Tensor) -> Tensor:
        if alpha < 1:  # where t (alpha - 1) + 1 = (1 - alpha) softplus(-v), whose root is positive
            root = (1 - alpha) * softplus(-v).clamp_min(torch.finfo(v.dtype).tiny)
        else:  # to the left of its domain f* stays at -f(0) = -1/alpha
            root = relu(v * (alpha - 1) + 1)
        return (1 - root.pow(alpha / (alpha - 1))) / alpha

    return Divergence(real, fake)


# Other distances that make the same game.


@divergence
def wasserstein() -> Divergence:
    """The earth mover's distance, if the critic is 1-Lipschitz (Arjovsky et al., 2017)."""
    return Divergence(real=lambda v: v, fake=lambda v: -v)


@divergence
def hinge() -> Divergence:
    """Total variation, with a margin (Lim and Ye, 2017; Miyato et al., 2018, Eq. 16)."""
    return Divergence(real=lambda v: -relu(1 - v), fake=lambda v: -relu(1 + v))


@divergence
def least_squares() -> Divergence:
    """Targets 1 and 0 (Mao et al., 2017, Eq. 9)."""
    return Divergence(real=lambda v: -(v - 1).square() / 2, fake=lambda v: -v.square() / 2)


@divergence
def least_squares_symmetric() -> Divergence:
    """Targets 1 and -1 (Mao et al., 2017, Eq. 8)."""
    return Divergence(real=lambda v: -(v - 1).square() / 2, fake=lambda v: -(v + 1).square() / 2)
