"""Train a model on tokenized windows; stop early; resume where it was.

    accelerate launch scripts/train.py --dataset data/pianalysis --model small --output-dir runs/small

Resume an interrupted run by repeating its command with `--resume`. Logs go to TensorBoard in `--output-dir`.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path


def build_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--dataset", required=True, metavar="DIR_OR_ID", help="folder of scripts/prepare_dataset.py, or a Hub dataset"
    )
    parser.add_argument(
        "--model", default="canonical", help="canonical, small, tiny, or a folder or Hub id to go on from"
    )
    parser.add_argument("--output-dir", required=True, type=Path)
    parser.add_argument("--batch-size", type=int, default=16)
    parser.add_argument("--max-length", type=int, default=1024, help="tokens of a window that are trained on")
    parser.add_argument("--learning-rate", type=float, default=1.5e-3)
    parser.add_argument("--optimizer", choices=["adamw", "muon"], default="adamw")
    parser.add_argument("--weight-decay", type=float, default=0.1)
    parser.add_argument("--dropout", type=float, default=0.0)
    parser.add_argument("--melody-weight", type=float, default=0.2)
    parser.add_argument("--max-steps", type=int, default=10_000)
    parser.add_argument("--warmup-steps", type=int, default=200)
    parser.add_argument("--decay-steps", type=int, default=2_000, help="the last steps, in which the rate falls to 0")
    parser.add_argument("--eval-steps", type=int, default=250)
    parser.add_argument("--eval-windows", type=int, default=200, help="validation windows, evenly spaced; 0 takes all")
    parser.add_argument("--patience", type=int, default=5, help="evaluations without improvement before stopping")
    parser.add_argument("--time-limit", type=float, metavar="MINUTES", help="stop cleanly, with a checkpoint")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument(
        "--plain-init", action="store_true", help="GPT-2's own random embeddings instead of structured ones"
    )
    parser.add_argument("--no-transpose", action="store_true")
    parser.add_argument(
        "--compile", action="store_true", help="torch.compile: faster after a minute of compiling; needs a C++ compiler"
    )
    parser.add_argument("--bf16", action="store_true")
    parser.add_argument("--cpu", action="store_true")
    parser.add_argument("--threads", type=int, help="CPU threads")
    parser.add_argument("--resume", action="store_true")
    return parser


def main(argv: list[str] | None = None) -> int:
    args = build_parser().parse_args(argv)
    import torch
    from transformers import EarlyStoppingCallback, GPT2LMHeadModel, TrainingArguments

    from pianalysis.dataset import load_windows
    from pianalysis.model import PRESETS, make_model
    from pianalysis.tokenizer import make_hf_tokenizer
    from pianalysis.training import TimeLimit, WindowCollator, WindowTrainer, make_optimizer, with_lengths

    if args.threads:
        torch.set_num_threads(args.threads)
    train, validation = (load_windows(args.dataset, split) for split in ("train", "validation"))
    if 0 < args.eval_windows < len(validation):
        step = len(validation) / args.eval_windows
        validation = validation.select([int(index * step) for index in range(args.eval_windows)])
    if args.model in PRESETS:
        model = make_model(args.model, seed=args.seed, dropout=args.dropout, structured=not args.plain_init)
    else:
        model = GPT2LMHeadModel.from_pretrained(args.model, use_safetensors=True)
    if args.compile:
        # The fused kernels that torch.compile makes of plain attention beat the CPU's own (README of the checkpoint).
        model.set_attn_implementation("eager")
    arguments = TrainingArguments(
        output_dir=str(args.output_dir),
        per_device_train_batch_size=args.batch_size,
        per_device_eval_batch_size=args.batch_size,
        learning_rate=args.learning_rate,
        lr_scheduler_type="warmup_stable_decay",
        lr_scheduler_kwargs={"num_decay_steps": args.decay_steps},
        warmup_steps=args.warmup_steps,
        max_steps=args.max_steps,
        weight_decay=args.weight_decay,
        adam_beta2=0.98,
        max_grad_norm=1.0,
        eval_strategy="steps",
        save_strategy="steps",
        eval_steps=args.eval_steps,
        save_steps=args.eval_steps,
        save_total_limit=2,
        logging_steps=50,
        load_best_model_at_end=True,
        metric_for_best_model="nats_per_note",
        greater_is_better=False,
        train_sampling_strategy="group_by_length",
        remove_unused_columns=False,
        dataloader_num_workers=0,
        bf16=args.bf16,
        use_cpu=args.cpu,
        torch_compile=args.compile,
        report_to=["tensorboard"],
        seed=args.seed,
    )
    callbacks = [EarlyStoppingCallback(early_stopping_patience=args.patience)]
    if args.time_limit is not None:
        callbacks.append(TimeLimit(args.time_limit))
    trainer = WindowTrainer(
        model=model,
        args=arguments,
        train_dataset=with_lengths(train),
        eval_dataset=validation,
        processing_class=make_hf_tokenizer(),
        callbacks=callbacks,
        optimizers=(make_optimizer(model, args.optimizer, args.learning_rate, args.weight_decay), None),
        train_collator=WindowCollator(args.max_length, args.melody_weight, transpose=not args.no_transpose),
        eval_collator=WindowCollator(2048, args.melody_weight),
    )
    trainer.train(resume_from_checkpoint=args.resume or None)
    trainer.save_model(str(args.output_dir / "best"))
    trainer.state.save_to_json(str(args.output_dir / "best" / "trainer_state.json"))
    (args.output_dir / "best" / "command.json").write_text(json.dumps(vars(args), default=str, indent=1))
    print(f"best: {trainer.state.best_metric} nats per accompaniment note ({len(validation)} validation windows)")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
