"""Weights that nobody trained, where the real ones cannot be had."""

from unittest.mock import patch

import torch
from torch import Tensor


def random_inception() -> dict[str, Tensor]:
    """The tensors of torch-fidelity's Inception."""
    from torch_fidelity.feature_extractor_inceptionv3 import FeatureExtractorInceptionV3

    with (
        torch.random.fork_rng(devices=[]),
        patch.object(torch, "load", lambda *_, **__: {}),
        patch.object(FeatureExtractorInceptionV3, "load_state_dict", lambda *_: None),
    ):
        torch.manual_seed(0)
        state = FeatureExtractorInceptionV3("inception", ["2048"], "nowhere").state_dict()
    # As they come, the features are so small that images hardly tell.
    return {k: v * 3 if k.endswith("conv.weight") else v for k, v in state.items()}
