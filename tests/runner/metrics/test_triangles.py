import pytest
import torch

from runner.data import triangles as data
from runner.metrics.pixels import to_uint8
from runner.metrics.triangles import (
    NEAR,
    distance,
    inverted,
    nearest_triangles,
    painted,
    shares,
)
from runner.truth import Model, of_triangles

torch.set_num_threads(1)
SIZE = 28


def images(count, seed, size=SIZE):
    pixels = torch.from_numpy(data.painted(data.draw(count, seed), size)[:, 0])
    return pixels.float() / 255


def found(some):
    return nearest_triangles(some, data.LEAST_AREA)


def test_the_distance_is_the_squared_euclidean_at_28_px_and_the_same_at_any_size():
    a, b = images(5, 0), images(5, 1)
    assert distance(a, b) == pytest.approx((a - b).square().sum((1, 2)))
    large = [each.repeat_interleave(2, 1).repeat_interleave(2, 2) for each in (a, b)]
    assert distance(*large) == pytest.approx(distance(a, b))


@pytest.mark.parametrize("size", [28, 32, 64])
def test_both_painters_agree_far_below_the_threshold(size):
    corners = data.draw(100, seed=2)
    by_data = torch.from_numpy(data.painted(corners, size)[:, 0]).float() / 255
    assert distance(painted(torch.from_numpy(corners), size), by_data).max() < NEAR / 5


def test_slopes_are_those_of_finite_differences():
    corners = torch.tensor([[[0.2113, 0.3127], [0.8031, 0.4219], [0.4407, 0.9053]]]).double()
    towards = torch.randn(3, 2, generator=torch.Generator().manual_seed(0)).double()
    weight = torch.randn(SIZE, SIZE, generator=torch.Generator().manual_seed(1)).double()
    corners.requires_grad_()
    (slope,) = torch.autograd.grad((painted(corners, SIZE) * weight).sum(), corners)
    step = 1e-7
    ahead, behind = (painted(corners + sign * step * towards, SIZE) for sign in (1, -1))
    measured = ((ahead - behind) * weight).sum().detach() / (2 * step)
    assert float(measured) == pytest.approx(float((slope * towards).sum()), rel=1e-4)


def test_true_triangles_are_found_with_their_corners():
    truth = torch.from_numpy(data.draw(200, seed=3)).float()
    fit = found(images(200, 3))
    assert (fit.distance <= NEAR / 3).all()
    off = torch.cdist(truth, fit.corners).amin(2).amax(1)  # of the worst corner
    assert off.median() < 0.005
    assert off.max() < 0.05


def test_noise_up_to_the_threshold_is_forgiven_and_beyond_it_not():
    """784 pixels with noise of deviation s are 784 s^2 away."""
    random = torch.Generator().manual_seed(0)
    clean = images(64, 4)
    for times, near in ((0.6, 1), (1.4, 0)):
        noise = times * (NEAR / SIZE**2) ** 0.5 * torch.randn(clean.shape, generator=random)
        share = (found(clean + noise).distance <= NEAR).double().mean()
        assert abs(share - near) < 0.05


def square(_):
    image = torch.zeros(SIZE, SIZE)
    image[8:20, 8:20] = 1
    return image


def speck(_):
    image = torch.zeros(SIZE, SIZE)
    image[10, 10:12] = 1
    return image


@pytest.mark.parametrize(
    "wrong",
    [square, speck, lambda random: torch.zeros(SIZE, SIZE), lambda random: torch.ones(SIZE, SIZE),
     lambda random: torch.rand(SIZE, SIZE, generator=random)],
    ids=["square", "speck", "black", "white", "noise"],
)  # fmt: skip
def test_what_is_no_triangle_is_near_none(wrong):
    some = torch.stack([wrong(torch.Generator().manual_seed(seed)) for seed in range(3)])
    assert (found(some).distance > NEAR).all()


def test_a_linear_generator_is_inverted_to_the_projection():
    """The nearest that z @ A comes to x is x's projection on the rows of A."""
    random = torch.Generator().manual_seed(0)
    basis = torch.linalg.qr(torch.randn(64, 4, generator=random))[0].T
    some = torch.rand(6, 8, 8, generator=random)
    rest = some.flatten(1) - some.flatten(1) @ basis.T @ basis
    latents = torch.randn(500, 4, generator=random)
    near = inverted(some, latents, lambda z: (z @ basis).unflatten(1, (8, 8)), rate=0.2)
    assert near == pytest.approx(784 * rest.square().mean(1), rel=0.01)


def test_shares_and_their_harmonic_mean():
    made, wanted = torch.tensor([0.1, 0.75, 0.76, torch.inf]), torch.tensor([0.2, 9.0, 9.0, 9.0])
    assert shares(made, wanted) == {"precision": 0.5, "recall": 0.25, "f1": pytest.approx(1 / 3)}
    assert shares(made + 9, wanted + 9)["f1"] == 0


# Four models as in the paper's Figure 4 --------------------------------------------------------


def any_triangle(latents):
    """Corners of the data's family: arcs, turn, size and place from seven latents."""
    uniform = torch.special.ndtr(latents)
    arcs = data.LEAST_ARC + (2 * torch.pi - 3 * data.LEAST_ARC) * (1.5 * latents[:, :3]).softmax(1)
    angle = 2 * torch.pi * uniform[:, 3:4] + arcs.cumsum(1)
    radius = 0.25 + 0.17 * uniform[:, 4:5]
    centre = 0.5 + (2 * uniform[:, 5:7] - 1) * (0.49 - radius)
    return centre[:, None] + radius[..., None] * torch.stack([angle.cos(), angle.sin()], 2)


def good_at_both(latents):
    return painted(any_triangle(latents), SIZE)


def precise_and_narrow(latents):
    """Always nearly the same triangle."""
    return painted(any_triangle(0.05 * latents), SIZE)


def broad_and_not_convex(latents):
    """All triangles, but nearly always with a bite taken out: the paper's low precision model."""
    corners = any_triangle(latents)
    outer = painted(corners, SIZE)
    middle = corners.mean(1, keepdim=True)
    bite = painted(middle + 0.5 * (corners - middle), SIZE)
    depth = torch.sigmoid(4 + 2 * latents[:, 7])[:, None, None]
    return outer - depth * bite


def good_at_neither(latents):
    """Blobs."""
    place = (torch.arange(SIZE) + 0.5) / SIZE
    x, y = (0.5 + 0.1 * latents[:, axis, None, None] for axis in (5, 6))
    return torch.exp(-((place - x) ** 2 + (place[:, None] - y) ** 2) / 0.02)


@pytest.mark.parametrize(
    ("render", "precise", "broad"),
    [
        (good_at_both, True, True),
        (precise_and_narrow, True, False),
        (broad_and_not_convex, False, True),
        (good_at_neither, False, False),
    ],
)
def test_precision_and_recall_tell_four_models_apart(render, precise, broad, monkeypatch):
    monkeypatch.setattr("runner.truth.FITTED", 128)
    monkeypatch.setattr("runner.truth.INVERTED", 24)

    def generate(latents):
        return 2 * render(latents)[:, None] - 1

    def latents(count, seed):
        return torch.randn(count, 8, generator=torch.Generator().manual_seed(seed))

    def draw(count, seed):
        return to_uint8(generate(latents(count, seed))).numpy()

    class Held:
        held_out = data.painted(data.draw(24, seed=9), SIZE)

    truth = of_triangles(Held)(Model(draw, latents, generate))
    assert (truth["precision"] > 0.9) == precise
    assert (truth["precision"] < 0.1) == (not precise)
    assert (truth["recall"] > 0.7) == broad
    assert (truth["recall"] < 0.2) == (not broad)
