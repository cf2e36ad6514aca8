from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from pianalysis.music.accompaniment_steps import BESIDE
from pianalysis.music.downbeats import CHANNELS, METRES, DownbeatNet


@settings(max_examples=15)
@given(steps=st.integers(1, 90), seed=st.integers(0, 99))
def test_what_is_trained_is_what_is_heard(script, steps, seed):
    training = script("train_downbeats")
    torch.manual_seed(seed)
    net = training.Net().eval()
    channels = np.random.default_rng(seed).normal(size=(steps, CHANNELS + BESIDE)).astype(np.float32)
    bars, beats = (torch.from_numpy(mask) for mask in training.masks(steps))
    with torch.no_grad():
        for value in net.parameters():  # some begin as 0
            value.add_(0.1 * torch.randn_like(value))
        said = net(torch.from_numpy(channels.T.copy())[None], torch.ones(1, steps))
        scores = training.reading_scores(net, said, bars, beats, torch.tensor([float(steps)]))[0].numpy()
    heard, logits = DownbeatNet({name: value.numpy() for name, value in net.state_dict().items()}).said(channels)
    assert logits == pytest.approx(said[0][0, :2].numpy().T, rel=1e-3, abs=5e-3)
    assert np.concatenate([heard[metre] for metre in METRES]) == pytest.approx(scores, rel=1e-3, abs=5e-3)
