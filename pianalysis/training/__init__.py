"""Options to a trained checkpoint.

In: `RunOptions` and a dataset. Out: a folder that `from_pretrained` reads; the extra `train`.

batches: windows to batches: cut to length, transposed, padded, sorted by length.
checkpoints: checkpoints of a run: which is whole, which is damaged, which to go on from.
checks: what can be known of a training run before its first step.
cpu_kernels: A training step's attention, activation and dropout as a CPU does them quickly, in place of the library's
    own.
ending: how a run ends on the Hub, and in words: what was pushed and what wasn't; a Hub that is gone is waited for.
likelihood: how well a model foresees music: nats per accompaniment note.
optimizers: optimizers: AdamW, or Muon on the blocks' matrices with AdamW on the rest.
options: what a training run is asked to do: `RunOptions`.
runs: training runs: what was asked for in, a trained checkpoint out. Resumed, published, or refused before the first
    step.
saving: A run's checkpoints, written whole or not at all, and their copies on the Hub.
stopping: when a training run ends: validation that stops falling, or the time that is over.
trainer: training: windows in, loss out, on `transformers.Trainer`.
words: what a run says of itself to whoever watches it: a line each, beside the progress bar.
"""

from pianalysis.errors import needs

needs("train", "transformers", "accelerate", "datasets")
