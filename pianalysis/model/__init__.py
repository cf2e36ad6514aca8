"""Token ids to the ids that come next.

In: a checkpoint's folder or Hub id, a prompt, the grammar's state. Out: sampled ids, likelihoods, a
`GPT2LMHeadModel`; it knows no MIDI.

company: work that several threads ask for at the same time, done together by one of them.
engine: sampling token ids under the grammar, fast: one window of one or several sequences at a time.
gpt2: the GPT-2 and its sizes.
growth: growing a GPT-2: twice as wide, deeper, and computing what it computed before.
hf_tokenizer: the vocabulary as a tokenizer of the Hugging Face libraries.
network: one GPT-2 forward pass, written out: a prompt at once, or one token of several sequences.
reference: the grammar for `transformers`, and the plain loop that the engine is held to.
sampling: how one of the ids that may come next is drawn.
weights: A GPT-2's weights and the few numbers beside them, read without `transformers`, whose import takes seconds.
"""
