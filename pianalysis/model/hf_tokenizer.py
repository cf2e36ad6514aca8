"""The vocabulary as a tokenizer of the Hugging Face libraries.

In: nothing. Out: a `PreTrainedTokenizerFast` that is saved as a plain tokenizer.json.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pianalysis.tokens import vocab
from pianalysis.tokens.windows import MAX_TOKENS

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerFast


def make_hf_tokenizer() -> PreTrainedTokenizerFast:
    """The vocabulary as a `tokenizers` WordLevel model; `save_pretrained` writes a plain tokenizer.json.

    Its text form is the tokens' names with spaces between, so ``tokenizer("TIME_0 NOTE_ON PITCH_72")`` gives the ids.
    What is saved loads in transformers 4 too.
    """
    import transformers
    from tokenizers import Tokenizer, models, pre_tokenizers

    class PreTrainedTokenizerFast(transformers.PreTrainedTokenizerFast):
        # What is saved names its class. In transformers 5 that of all such tokenizers has a name that 4 doesn't know.
        def __reduce__(self) -> tuple[object, tuple[()]]:
            return make_hf_tokenizer, ()

    backend = Tokenizer(models.WordLevel(dict(vocab.IDS), unk_token=vocab.TOKENS[vocab.UNK]))
    backend.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    names = {
        "pad_token": vocab.PAD,
        "bos_token": vocab.BOS,
        "eos_token": vocab.EOS,
        "sep_token": vocab.SEP,
        "unk_token": vocab.UNK,
    }
    return PreTrainedTokenizerFast(  # type: ignore[no-untyped-call]
        tokenizer_object=backend,
        model_max_length=MAX_TOKENS,
        model_input_names=["input_ids", "attention_mask"],  # 4 would add token types, which GPT-2 takes for tokens
        clean_up_tokenization_spaces=False,
        **{name: vocab.TOKENS[token] for name, token in names.items()},
    )
