from itertools import product

import pytest
import torch
from torch import nn

from knowledge.schema import Part
from runner.game import build
from runner.parts import PartError, backbone
from runner.parts.registry import settings_of
from runner.scene import ImageShape
from tests.runner.small import recipe

SIZES = (8, 16, 32, 64, 128)
NORMS = ("none", "batch-norm", "layer-norm", "instance-norm")


def pair(name, image, critic_norm="none", generator_norm="batch-norm", seed=0, **settings):
    wanted = recipe(
        name,
        settings={"width": 4, **settings},
        critic_norm=critic_norm,
        generator_norm=generator_norm,
    )
    made = build(wanted, image, seed).networks
    return made["generator"], made["critic"]


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("norm", NORMS)
@pytest.mark.parametrize("name", backbone.known)
def test_shapes(name, norm, size):
    if (name, norm) == ("mlp", "instance-norm"):
        pytest.skip("has no maps")
    for channels in (1, 4) if size < 64 else (3,):
        generator, critic = pair(name, ImageShape(channels, size), norm, norm)
        images = generator(torch.randn(2, 16))
        assert images.shape == (2, channels, size, size)
        assert images.abs().max() <= 1
        scores = critic(images)
        assert scores.shape == (2,)
        gradients = torch.autograd.grad(scores.sum(), list(generator.parameters()))
        assert all(g.isfinite().all() for g in gradients)
        assert any(g.abs().max() > 0 for g in gradients)


def test_norms_without_maps_are_refused():
    for own in ({"critic_norm": "instance-norm"}, {"generator_norm": "instance-norm"}):
        with pytest.raises(PartError, match="use 'layer-norm'"):
            pair("mlp", ImageShape(1, 16), **own)


@pytest.mark.parametrize(
    ("name", "size", "message"),
    [
        ("dcgan", 48, "'dcgan' makes images of 8, 16, 32, 64 or 128 px, not 48"),
        ("resnet", 28, "'resnet' makes images of 8, 16, 32, 64 or 128 px, not 28"),
        ("conv", 28, "'conv' makes images of 8 to 128 px in steps of 8, not 28"),
        ("infogan", 30, "'infogan' makes images of 8 to 128 px in steps of 4, not 30"),
        ("dcgan", 1, "not 1"),
    ],
)
def test_sizes_that_a_backbone_cannot_make(name, size, message):
    with pytest.raises(PartError, match=message):
        pair(name, ImageShape(1, size))


def test_an_mlp_makes_points():
    """A point of the line or the plane is an image of one pixel."""
    for channels in (1, 2):
        generator, critic = pair("mlp", ImageShape(channels, 1))
        assert critic(generator(torch.randn(5, 16))).shape == (5,)


def test_points_are_not_squashed():
    """RSGAN's critic drove a tanh to its ends within a few steps, and there it stayed."""
    generator, _ = pair("mlp", ImageShape(2, 1))
    *_, last, _ = generator
    with torch.no_grad():
        last.weight.zero_()
        last.bias.copy_(torch.tensor([3.0, -5.0]))
    assert generator(torch.randn(7, 16))[0].flatten().tolist() == [3.0, -5.0]


@pytest.mark.parametrize("name", backbone.known)
def test_a_critic_of_several_outputs_is_an_encoder(name):
    make = backbone.get(Part(name=name, settings={"width": 4}))
    encoder = make(ImageShape(3, 16), 16, outputs=6).critic
    assert encoder(torch.randn(2, 3, 16, 16)).shape == (2, 6)


@pytest.mark.parametrize("name", backbone.known)
def test_a_critic_judges_its_own_features(name):
    _, critic = pair(name, ImageShape(1, 16))
    images = torch.randn(3, 1, 16, 16)
    assert torch.equal(critic.head(critic.features(images)), critic(images))


@pytest.mark.parametrize(("name", "setting"), [("mlp", "depth"), ("conv", "depth"),
                                               ("dcgan", "depth"), ("resnet", "deeper")])  # fmt: skip
def test_depth_is_a_setting(name, setting):
    """Of the layers with weights that a critic has."""

    def layers(depth):
        _, critic = pair(name, ImageShape(1, 32), **{setting: depth})
        assert critic(torch.randn(2, 1, 32, 32)).shape == (2,)
        return sum(isinstance(m, nn.Conv2d | nn.Linear) for m in critic.modules())

    assert layers(1) < layers(2)


def test_conv_makes_the_48_pixels_of_its_paper():
    generator, critic = pair("conv", ImageShape(3, 48))
    assert critic(generator(torch.randn(2, 16))).shape == (2,)


@pytest.mark.parametrize("name", backbone.known)
def test_the_seed_decides_the_weights(name):
    def weights(seed):
        return torch.cat([p.flatten() for net in pair(name, ImageShape(1, 16), seed=seed)
                          for p in net.parameters()])  # fmt: skip

    before = torch.get_rng_state()
    assert torch.equal(weights(3), weights(3))
    assert not torch.equal(weights(3), weights(4))
    assert torch.equal(torch.get_rng_state(), before)  # nobody else's random numbers are touched


@pytest.mark.parametrize("name", ["dcgan", "conv"])
def test_narrow_normal_weights(name):
    for net in pair(name, ImageShape(3, 32), width=32):
        for layer in net.modules():
            if isinstance(layer, nn.Conv2d | nn.ConvTranspose2d | nn.Linear):
                if layer.weight.numel() > 5000:
                    assert layer.weight.std().item() == pytest.approx(0.02, rel=0.05)
                    assert layer.weight.mean().item() == pytest.approx(0, abs=1e-3)
                assert layer.bias is None or not layer.bias.any()


def test_sizes_of_the_published_networks():
    """Parameters of the originals at 32 px: Miyato et al. (2018), Tables 3 and 4, one by one."""

    def count(net):
        return sum(p.numel() for p in net.parameters())

    image = ImageShape(3, 32)
    make = backbone.get(Part(name="resnet"))
    generator, critic = make(image, 128)
    block = 2 * (256 * 256 * 9 + 256 + 2 * 256) + 256 * 256 + 256 - 256  # first bias: under a norm
    assert count(generator) == 128 * 4096 + 4096 + 3 * block + 512 + 256 * 3 * 9 + 3
    optimised = (3 * 9 + 1) * 128 + (128 * 9 + 1) * 128 + (3 + 1) * 128
    down, keep = 2 * (128 * 9 + 1) * 128 + (128 + 1) * 128, 2 * (128 * 9 + 1) * 128
    assert count(critic) == optimised + down + 2 * keep + 128 + 1

    _, critic = backbone.get(Part(name="conv"))(image, 128)
    layers = [(3, 64, 3), (64, 64, 4), (64, 128, 3), (128, 128, 4), (128, 256, 3), (256, 256, 4),
              (256, 512, 3)]  # fmt: skip
    assert count(critic) == sum((i * k * k + 1) * o for i, o, k in layers) + 512 * 16 + 1

    # Lucic et al. (2018) at 28 px: Chen et al. (2016), Table 1.
    digits = ImageShape(1, 28)
    generator, critic = backbone.get(Part(name="infogan"))(digits, 64, "batch-norm")
    assert count(critic) == 16 * 64 + 64 + 64 * 128 * 16 + 256 + 6272 * 1024 + 1024 * 3 + 1025
    rebuilt = 64 * 1024 + 1024 * 3 + 1024 * 6272 + 6272 + 256 + 128 * 64 * 16 + 128 + 64 * 16 + 1
    assert count(generator) == rebuilt


def test_pooling_by_sum_or_mean_differs_by_the_area():
    images = torch.randn(2, 1, 32, 32)
    by_sum, by_mean = (pair("resnet", ImageShape(1, 32), pooling=how)[1] for how in ("sum", "mean"))
    assert torch.allclose(by_sum(images), by_mean(images) * 8 * 8, rtol=1e-4)


def test_resampling_order_changes_nothing():
    """The shortcut convolves at the smaller size: the same function, a quarter of the work."""
    x, convolve = torch.randn(2, 4, 8, 8), nn.Conv2d(4, 6, 1)
    for resample in (nn.Upsample(scale_factor=2), nn.AvgPool2d(2)):
        assert torch.allclose(resample(convolve(x)), convolve(resample(x)), atol=1e-6)


@pytest.mark.parametrize(("name", "width"), list(product(backbone.known, [0, "wide"])))
def test_settings_are_checked(name, width):
    assert "width" in settings_of(backbone.known[name])
    with pytest.raises(PartError, match="width"):
        pair(name, ImageShape(1, 16), width=width)
