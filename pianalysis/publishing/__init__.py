"""Folders, records and figures to the Hub and to Markdown.

In: a folder, the records of runs, figures of an evaluation. Out: commits on the Hub, model cards, tables.

commands: the commands that made a checkpoint, as they run where they are printed: folders and steps included.
corpora_facts: what is known of each corpus: what it is called, here, there and by people, and under which licence it
    stands.
examples: what a model card shows of a model at work: a prompt of tokens, and code that needs `transformers` alone.
hub: the Hugging Face Hub: every write of the project, and reading back what was published.
model_card: model cards: how a checkpoint was trained and how good it is, as its README says it.
models: a model's folder to a repository: the files that belong there, under the name that it has there.
records: the records of the runs that made a checkpoint, and the curves of their losses.
tables: markdown tables of cards, reports and README: likelihoods, whole songs, searches, speeds.
"""
