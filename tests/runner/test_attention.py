"""Self-attention as its paper has it, and the networks that it stands in."""

import pytest
import torch
from torch import nn

from runner.average import Average
from runner.game import build
from runner.parts import Attention, PartError
from runner.scene import ImageShape
from tests.runner.small import recipe


def networks(size=16, **settings):
    made = build(recipe("self-attention", settings={"width": 4, **settings}),
                 ImageShape(3, size), 0).networks  # fmt: skip
    return made["generator"], made["critic"]


def attentions(network):
    return [each for each in network.modules() if isinstance(each, Attention)]


def test_it_is_the_papers_formula():
    """Zhang et al. (2018), Eqs. 1 to 3, a place at a time."""
    torch.manual_seed(0)
    block = Attention(16).double()
    with torch.no_grad():
        block.weighted.weight.fill_(0.7)
    maps = torch.randn(2, 16, 3, 5, dtype=torch.double)
    places = maps.flatten(2)
    f, g, h = (layer.weight[:, :, 0, 0] for layer in (block.keys, block.queries, block.values))
    v = block.out.weight[:, :, 0, 0]
    for image, found in zip(places, block(maps), strict=True):
        for j in range(15):
            fits = torch.stack([(f @ image[:, i]) @ (g @ image[:, j]) for i in range(15)])
            shares = fits.softmax(0)
            seen = v @ sum(share * (h @ image[:, i]) for i, share in enumerate(shares))
            torch.testing.assert_close(found.flatten(1)[:, j], image[:, j] + 0.7 * seen)


def test_it_begins_as_if_it_were_not_there():
    maps = torch.randn(2, 16, 4, 4)
    assert torch.equal(Attention(16)(maps), maps)


@pytest.mark.parametrize(("size", "at"), [(8, None), (32, None), (64, None), (32, 8)])
def test_both_networks_have_one_at_the_size_that_is_asked_for(size, at):
    sizes = []
    generator, critic = networks(size, **({"at": at} if at else {}))
    for network in (generator, critic):
        (block,) = attentions(network)
        block.register_forward_hook(lambda layer, given, made: sizes.append(made.shape[-1]))
    critic(generator(torch.randn(2, 16)))
    assert sizes == [at or min(32, size // 2)] * 2


def test_a_size_that_has_no_maps_is_refused():
    with pytest.raises(PartError, match="has no maps of 12 px"):
        networks(32, at=12)


def test_the_generator_is_spectrally_normed_and_its_average_too():
    generator, _ = networks()
    generator.train()
    average = Average(nn.ModuleDict({"generator": generator}), 0.5)
    for seen in range(1, 200):
        generator(torch.randn(4, 16))
        average.update(4, 4 * seen)
    layers = [m for m in average.networks.modules() if isinstance(m, nn.Conv2d | nn.Linear)]
    assert len(layers) > 8
    for layer in layers:
        largest = torch.linalg.matrix_norm(layer.weight.detach().flatten(1), 2)
        assert largest == pytest.approx(1, abs=0.02)


def test_it_learns_to_look_far():
    """The weight that begins at zero has a gradient, and with it all that stands before it."""
    generator, critic = networks()
    blocks = [*attentions(generator), *attentions(critic)]
    optimizer = torch.optim.SGD([block.weighted.weight for block in blocks], 0.1)
    critic(generator(torch.randn(4, 16))).sum().backward()
    optimizer.step()
    assert all(block.weighted.weight.abs() > 0 for block in blocks)


def test_penalties_can_ask_for_its_second_derivative():
    _, critic = networks()
    for block in attentions(critic):
        torch.nn.init.ones_(block.weighted.weight)
    images = torch.randn(2, 3, 16, 16, requires_grad=True)
    (slopes,) = torch.autograd.grad(critic(images).sum(), images, create_graph=True)
    slopes.square().sum().backward()
    assert all(block.keys.weight.grad.abs().max() > 0 for block in attentions(critic))
