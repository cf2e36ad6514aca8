"""Evaluation over whole songs: arrangements of a split's melodies beside references, measured, averaged and shown.

songs → references, takes → measures → summary → tables, plots. `scripts/evaluate_model.py` puts them together.
"""
