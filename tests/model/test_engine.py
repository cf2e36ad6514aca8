"""The fast engine: the tokens of the plain loop, and the same tokens alone or beside others."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from conftest import EXAMPLES
from hypothesis import given, settings
from hypothesis import strategies as st

from pianalysis.arranging.arranger import Arranger
from pianalysis.errors import PianalysisError
from pianalysis.model.engine import Engine, torch_threads
from pianalysis.model.network import Cache, FloatLinear, Int8Linear, Network
from pianalysis.model.reference import GrammarLogitsProcessor, ReferenceEngine, closing
from pianalysis.model.sampling import Job, Sampling
from pianalysis.model.weights import Weights, read_weights, weights_of
from pianalysis.music.notes import make_notes
from pianalysis.tokens import vocab
from pianalysis.tokens.grammar import GrammarState, Limits, state_after
from pianalysis.tokens.tokenizer import ChordTones, encode, encode_accompaniment, encode_melody, encode_prompt
from pianalysis.tokens.windows import make_window

FREE = Sampling(1.0, 0, 1.0)
MELODY = encode_melody(make_notes((500 * step, 500, 60 + step % 7, 96) for step in range(8)))
PROMPTS = [
    MELODY,
    encode_melody(make_notes([(0, 500, 72, 96), (500, 1000, 74, 96), (4000, 250, 60, 96)])),
    MELODY + encode_accompaniment(make_notes([(0, 500, 48, 64), (500, 500, 52, 64), (500, 500, 55, 64)])),
    MELODY[:-1],  # a melody to go on with
]
BIAS = np.random.default_rng(0).normal(0, 2, (2, 640, 88)).astype(np.float32)


def jobs(seeds, *, sampling=FREE, length_ms=6_000):
    """Every other one with a bias on its pitches."""
    limits = {"first_ms": 4_025, "length_ms": length_ms, "rest_ms": 1_000}
    return [
        Job(
            prompt,
            state_after(prompt, Limits(**limits)),
            sampling,
            np.random.default_rng(seed),
            BIAS if seed % 2 else None,
        )
        for seed, prompt in zip(seeds, PROMPTS * len(seeds), strict=False)
    ]


def chord_jobs(seeds, *, sampling=FREE):
    """The same for windows with chords: to write the chords, the accompaniment, and to go on with it after a history."""
    melody = make_notes((500 * step, 500, 60 + step % 7, 96) for step in range(8))
    history = encode_accompaniment(make_notes([(0, 500, 48, 64), (500, 500, 52, 64), (500, 500, 55, 64)]))
    prompts = []
    for root in (0, 5, 7):
        prompt = encode_prompt(melody, [ChordTones(0, root, (0, 4, 7)), ChordTones(2_000)])
        prompts += [encode_melody(melody), prompt, [*prompt, *history]]
    return [
        Job(
            prompt,
            state_after(prompt, Limits(first_ms=1_000, length_ms=6_000), chords=True),
            sampling,
            np.random.default_rng(seed),
            BIAS if seed % 2 else None,
        )
        for seed, prompt in zip(seeds, prompts * len(seeds), strict=False)
    ]


def tokens(engine, together):
    written = [[] for _ in together]
    for index, token in engine.continue_prompts(together):
        written[index].append(token)
    return written


def alone(engine, job):
    return [*engine.continue_prompt(job.prompt, job.state, job.sampling, job.generator, job.pitch_bias)]


@pytest.mark.parametrize("sampling", [FREE, Sampling(), Sampling(top_k=1)])
def test_in_float32_the_tokens_are_those_of_the_plain_loop(tiny_model, sampling):
    reference, engine = ReferenceEngine(tiny_model), Engine(tiny_model)
    many = [alone(engine, job) for job in jobs(range(24), sampling=sampling)]
    assert many == [alone(reference, job) for job in jobs(range(24), sampling=sampling)]
    assert sampling.top_k == 1 or len({tuple(ids) for ids in many}) > 20


def test_with_the_bundled_model_too():
    from pianalysis.model.gpt2 import load_model

    model = load_model("small")
    reference, engine = ReferenceEngine(model), Engine(read_weights("small"))
    assert [alone(engine, job) for job in jobs(range(4))] == [alone(reference, job) for job in jobs(range(4))]


@pytest.mark.parametrize("precision", ["float32", "int8"])
def test_a_job_comes_out_the_same_alone_or_beside_others(tiny_model, precision):
    engine = Engine(tiny_model, precision=precision)
    singly = [alone(engine, job) for job in jobs(range(40))]
    assert tokens(engine, jobs(range(40))) == singly
    assert len({len(ids) for ids in singly}) > 5  # many drop out while others go on


@pytest.mark.parametrize("precision", ["float32", "int8"])
def test_beside_others_every_bit_is_the_same(precision):
    network = Network(read_weights("small"), precision)
    with torch.inference_mode():
        states = []
        for together in ([0, 1, 2, 3], [2, 1], [3]):
            caches = [Cache(network.weights, 64) for _ in together]
            for row, cache in zip(together, caches, strict=True):
                network.read(PROMPTS[row][: 9 + row], cache)
            for step in range(20):
                out = network.step([60 + row + step for row in together], caches)
            states.append(dict(zip(together, out, strict=True)))
    for other in states[1:]:
        assert all(torch.equal(state, states[0][row]) for row, state in other.items())


def random_weights(layers, heads, width, generator):
    """A GPT-2 of 801 ids and 512 positions with weights that let what was said long ago be seen."""
    shapes = {"attn.c_attn": (width, 3 * width), "attn.c_proj": (width, width)}
    shapes |= {"mlp.c_fc": (width, 4 * width), "mlp.c_proj": (4 * width, width)}
    tensors = {"wte.weight": torch.randn(vocab.VOCAB_SIZE, width, generator=generator)}
    tensors["wpe.weight"] = torch.randn(512, width, generator=generator)
    for layer in range(layers):
        for name, shape in shapes.items():
            tensors[f"h.{layer}.{name}.weight"] = torch.randn(shape, generator=generator) / shape[0] ** 0.5
            tensors[f"h.{layer}.{name}.bias"] = torch.randn(shape[1], generator=generator)
    for name in ["ln_f", *(f"h.{layer}.ln_{part}" for layer in range(layers) for part in (1, 2))]:
        tensors |= {f"{name}.weight": torch.ones(width), f"{name}.bias": torch.zeros(width)}
    return Weights(tensors, layers, heads, 512)


@given(
    st.sampled_from(["float32", "int8"]),
    st.integers(1, 8),
    st.sampled_from([16, 32, 48, 64]),
    st.lists(st.integers(1, 400), min_size=2, max_size=6),
    st.integers(0, 2**32),
)
@settings(max_examples=40, deadline=None)
def test_of_any_shape_every_bit_is_the_same_alone(precision, heads, features, lengths, seed):
    """Rows of any lengths, each at any place among the others; the width a multiple of 16, as GPT-2s have it."""
    generator = torch.Generator().manual_seed(seed)
    network = Network(random_weights(1, heads, heads * features, generator), precision)
    prompts = [torch.randint(vocab.VOCAB_SIZE, (length,), generator=generator).tolist() for length in lengths]
    steps = torch.randint(vocab.VOCAB_SIZE, (4, len(lengths)), generator=generator).tolist()

    def run(rows):
        caches = [Cache(network.weights, 512) for _ in rows]
        for row, cache in zip(rows, caches, strict=True):
            network.read(prompts[row], cache)
        return [network.step([tokens[row] for row in rows], caches) for tokens in steps]

    with torch.inference_mode(), torch_threads(1):
        together, turned = run(range(len(lengths))), run(range(len(lengths))[::-1])
        assert all(torch.equal(one, other.flip(0)) for one, other in zip(together, turned, strict=True))
        for row in range(len(lengths)):
            assert torch.equal(torch.stack(run([row]))[:, 0], torch.stack(together)[:, row])


@given(
    st.integers(1, 3), st.integers(1, 8), st.sampled_from([1, 8, 32, 64]), st.integers(1, 300), st.integers(0, 2**32)
)
@settings(max_examples=30, deadline=None)
def test_token_by_token_the_states_are_those_of_reading_at_once(layers, heads, features, length, seed):
    generator = torch.Generator().manual_seed(seed)
    network = Network(random_weights(layers, heads, heads * features, generator), "float32")
    ids = torch.randint(vocab.VOCAB_SIZE, (length + 5,), generator=generator).tolist()
    with torch.inference_mode(), torch_threads(1):
        whole = network.read(ids, Cache(network.weights, 512), every=True)
        cache = Cache(network.weights, 512)
        network.read(ids[:length], cache)
        stepped = torch.cat([network.step([token], [cache]) for token in ids[length:]])
    assert cache.length == length + 5
    torch.testing.assert_close(stepped, whole[length:], rtol=1e-3, atol=1e-3)


def test_threads_are_given_back_when_the_last_is_done():
    before = torch.get_num_threads()
    outer, inner = torch_threads(before + 2), torch_threads(before + 2)
    outer.__enter__()
    with inner:
        assert torch.get_num_threads() == before + 2
    assert torch.get_num_threads() == before + 2  # another is still at work
    outer.__exit__(None, None, None)
    assert torch.get_num_threads() == before


@given(st.integers(0, 2**32), st.integers(1, 5), st.integers(1, 40), st.floats(1e-6, 1e4))
@settings(max_examples=30)
def test_int8_products_are_near_and_rows_keep_to_themselves(seed, rows, width, scale):
    generator = torch.Generator().manual_seed(seed)
    weight, bias = torch.randn(width, 32, generator=generator), torch.randn(32, generator=generator)
    x = torch.randn(rows, width, generator=generator) * scale
    exact, near = FloatLinear(weight, bias).apart(x), Int8Linear(weight, bias).apart(x)
    room = x.abs().amax(1, keepdim=True) * weight.abs().amax(0) * width / 127 + 1e-4  # half a step in each factor
    assert ((near - exact).abs() <= room).all()
    assert torch.equal(Int8Linear(weight, bias).apart(torch.cat([x, x * 1e3]))[:rows], near)


def test_a_row_of_zeros_gives_the_bias():
    bias = torch.arange(32.0)
    assert torch.equal(Int8Linear(torch.randn(64, 32), bias).apart(torch.zeros(2, 64)), torch.stack([bias, bias]))


def test_int8_costs_less_than_one_percent():
    """Nats of a piece that the model wrote itself, so that it knows what it says."""
    piece = Arranger.from_pretrained("small")(EXAMPLES / "ode_to_joy.mid")
    from pianalysis.music.clock import BeatClock

    clock = BeatClock.from_score(piece.score)
    above, below = clock.notes_to_clock(piece.melody), clock.notes_to_clock(piece.accompaniment)
    ids = encode(make_window(above, below, clock.bar_lines, 0, "pop").notes)
    start, nats = ids.index(vocab.SEP) + 1, {}
    for precision in ("float32", "int8"):
        network = Network(read_weights("small"), precision)
        with torch.inference_mode():
            hidden = network.read(ids[:-1], Cache(network.weights, len(ids)), every=True)
            chances = torch.log_softmax(hidden @ network.head.T, -1)
        nats[precision] = -sum(float(chances[place - 1, ids[place]]) for place in range(start, len(ids)))
    assert nats["float32"] != nats["int8"]
    assert nats["int8"] == pytest.approx(nats["float32"], rel=0.01)


@pytest.mark.parametrize("sampling", [FREE, Sampling(), Sampling(top_k=1)])
def test_with_chords_the_tokens_are_those_of_the_plain_loop_alone_and_in_company(tiny_model, sampling):
    reference, engine = ReferenceEngine(tiny_model), Engine(tiny_model)
    many = [alone(engine, job) for job in chord_jobs(range(18), sampling=sampling)]
    assert many == [alone(reference, job) for job in chord_jobs(range(18), sampling=sampling)]
    assert many == tokens(engine, chord_jobs(range(18), sampling=sampling))


@given(
    st.lists(st.integers(0, 10_000), max_size=30),
    st.integers(1, 20),
    st.booleans(),
    st.sampled_from(["time", "chord"]),
)
def test_spans_rise_and_are_the_mask(choices, room, loud, part):
    limits = {"first_ms": 1_000, "length_ms": 9_000, "rest_ms": 2_000, "lowest": 30, "highest": 90}
    state = GrammarState(expects=part, chords=part == "chord", loud=loud and part == "time", limits=Limits(**limits))
    for choice in choices:
        spans = state.spans(room)
        ids = [token for span in spans for token in span]
        assert ids == sorted(set(ids))
        assert np.flatnonzero(closing(state, state.allowed(), room)).tolist() == ids
        ids = [token for span in state.spans() for token in span if token != state.end_token]
        if not ids:
            break
        state = state.advance(ids[choice % len(ids)])


@pytest.mark.parametrize("cut", [{"top_k": 1}, {"top_k": 2, "top_p": 0.01}, {"top_k": 0, "top_p": 1e-6}])
def test_in_plain_generate_the_grammar_comes_before_top_k_and_top_p(tiny_model, cut):
    """The other way round the few that are kept could all be forbidden, and no id would be left."""
    prompt = torch.tensor([PROMPTS[1]] * 2)
    run = tiny_model.generate(
        prompt,
        do_sample=True,
        max_length=60,
        logits_processor=[GrammarLogitsProcessor(max_length=60)],
        attention_mask=torch.ones_like(prompt),
        output_scores=True,
        return_dict_in_generate=True,
        **cut,
    )
    assert all(scores.max(-1).values.isfinite().all() for scores in run.scores)
    for ids in run.sequences.tolist():
        state_after(ids[: ids.index(vocab.EOS) + 1])  # raises where the grammar is broken


def test_weights_are_those_of_the_model(tiny_model, tmp_path):
    from pianalysis.model.gpt2 import save_model

    save_model(tiny_model, tmp_path)
    read, of = read_weights(tmp_path), weights_of(tiny_model)
    assert set(read.tensors) == set(of.tensors)
    assert all(torch.equal(tensor, of.tensors[name]) for name, tensor in read.tensors.items())
    assert (read.layers, read.heads, read.positions, read.width) == (2, 2, 2048, 32)
    assert weights_of(read) is read


def test_bad_checkpoints_are_refused(tiny_model, tmp_path):
    from pianalysis.model.gpt2 import save_model

    with pytest.raises(PianalysisError, match=r"config\.json, found none"):
        read_weights(tmp_path)
    save_model(tiny_model, tmp_path)
    config = (tmp_path / "config.json").read_text()
    (tmp_path / "config.json").write_text(config.replace("gelu_new", "relu"))
    with pytest.raises(PianalysisError, match="gelu_new"):
        read_weights(tmp_path)
    (tmp_path / "config.json").write_text(config)
    (tmp_path / "model.safetensors").write_bytes(b"no")
    with pytest.raises(PianalysisError, match="damaged"):
        read_weights(tmp_path)
    with pytest.raises(PianalysisError, match="int8 or float32"):
        Engine(tiny_model, precision="int4")
