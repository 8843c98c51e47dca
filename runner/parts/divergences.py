"""How far apart two distributions are, as a critic sees it."""

from collections.abc import Callable
from typing import NamedTuple

from torch import Tensor
from torch.nn.functional import relu, softplus

from runner.parts.registry import Registry


class Divergence(NamedTuple):
    """The critic D maximises E[real(D(x))] + E[fake(D(G(z)))]."""

    real: Callable[[Tensor], Tensor]
    fake: Callable[[Tensor], Tensor]


divergence = Registry[Divergence]("divergence")

# f-divergences in their variational form (Nowozin et al., 2016, Table 2). A raw score v
# becomes T = g(v), in the domain of the conjugate f*; then real = T and fake = -f*(T).


@divergence
def jensen_shannon() -> Divergence:
    """2 JS(P, Q) - log 4, with the critic's sigmoid taken in (Goodfellow et al., 2014, Eq. 1)."""
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
def squared_hellinger() -> Divergence:
    """The integral of (sqrt p - sqrt q)^2: g(v) = 1 - exp(-v), f*(t) = t / (1 - t)."""
    return Divergence(real=lambda v: 1 - (-v).exp(), fake=lambda v: 1 - v.exp())


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
