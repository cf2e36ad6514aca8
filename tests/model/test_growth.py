"""A grown model computes what the smaller one did."""

import pytest
import torch

from pianalysis.errors import PianalysisError
from pianalysis.model.gpt2 import PRESETS, load_model, make_model
from pianalysis.model.growth import grow
from pianalysis.publishing.records import read_records


@pytest.fixture
def half():
    """A model of half the canonical width whose biases and norms aren't the trivial ones."""
    model = make_model("small", seed=1).eval()
    generator = torch.Generator().manual_seed(2)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(0.05 * torch.randn(parameter.shape, generator=generator))
    return model


def logits(model, ids):
    with torch.no_grad():
        return model(ids).logits


def test_the_logits_stay(half):
    ids = torch.randint(4, 800, (2, 96), generator=torch.Generator().manual_seed(3))
    grown = grow(half, "canonical")
    assert sum(parameter.numel() for parameter in grown.parameters()) == pytest.approx(20.37e6, rel=1e-3)
    assert {name: getattr(grown.config, name) for name in PRESETS["canonical"]} == PRESETS["canonical"]
    torch.testing.assert_close(logits(grown, ids), logits(half, ids), atol=1e-4, rtol=1e-4)


def test_noise_lets_the_halves_part_a_little(half):
    ids = torch.randint(4, 800, (1, 96), generator=torch.Generator().manual_seed(3))
    grown = grow(half, "canonical", noise=0.05)
    matrix = grown.transformer.h[0].mlp.c_fc.weight
    assert not torch.equal(matrix[:256], matrix[256:])
    exact = logits(half, ids)
    assert 0 < (logits(grown, ids) - exact).std() < exact.std()


def test_the_added_layers_learn(half):
    """Their outputs are 0, their gradients aren't."""
    grown = grow(half, "canonical", noise=0.0)
    ids = torch.randint(4, 800, (1, 32), generator=torch.Generator().manual_seed(3))
    grown(input_ids=ids, labels=ids).loss.backward()
    for layer in (4, 5):
        projection = grown.transformer.h[layer].mlp.c_proj.weight
        assert not projection.any()
        assert projection.grad.abs().max() > 0


def test_a_model_of_another_size_is_refused():
    with pytest.raises(PianalysisError, match="half as wide as canonical"):
        grow(make_model("tiny"), "canonical")


def test_the_script_keeps_the_history(script, tmp_path, capsys):
    output = tmp_path / "grown"
    assert script("grow_checkpoint").main(["--output-dir", str(output), "--noise", "0"]) == 0
    assert load_model(output).config.n_layer == 6
    assert load_model(output).config.normalises_key
    assert "grow_checkpoint.py" in read_records(output)[-1].after
    assert script("grow_checkpoint").main(["--output-dir", str(output)]) == 2
    assert "is there already" in capsys.readouterr().err
