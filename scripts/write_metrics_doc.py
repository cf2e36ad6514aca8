"""What people have, into docs/metrics.md: the human columns of the model card's tables of whole songs.

python scripts/write_metrics_doc.py --write
"""

from __future__ import annotations

import argparse
import re
from pathlib import Path
from typing import Final

from pianalysis.files import write_atomically
from pianalysis.metrics.names import HUMAN, METRICS
from pianalysis.publishing.tables import NOTHING, markdown_table

ROOT = Path(__file__).parents[1]
DOC: Final = ROOT / "docs" / "metrics.md"
CARD: Final = ROOT / "model_card.md"


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--write", action="store_true", help="write the file rather than the table to the screen")
    args = parser.parse_args(argv)
    card = CARD.read_text(encoding="utf-8")
    if args.write:
        write_atomically(DOC, with_people(DOC.read_text(encoding="utf-8"), card).encode())
    else:
        print(people_table(card))
    return 0


def with_people(text: str, card: str) -> str:
    """The document with the card's figures between its comments."""
    parts = re.split(r"(<!-- /?people -->)", text)
    if len(parts) != 5:
        raise ValueError(f"expected the comments <!-- people --> and <!-- /people --> in {DOC.name}")
    return "".join([*parts[:2], f"\n{people_table(card)}\n", *parts[3:]])


def people_table(card: str) -> str:
    """A row a metric, by name and label, a column a corpus with its number of songs."""
    columns = human_columns(card)
    rows = (
        (f"`{name}`", metric.label, *(column.get(metric.label, NOTHING) for column in columns.values()))
        for name, metric in METRICS.items()
    )
    return markdown_table(("name", "what it is called", *columns), rows, left=2)


def human_columns(card: str) -> dict[str, dict[str, str]]:
    """Of each table of whole songs in a card, by its title: what the human column has, by the metric's label."""
    columns = {}
    for title, table in re.findall(r"^\*\*(.+?\*\*, \d+) test songs.*?:\n\n((?:\|.*\n)+)", card, re.MULTILINE):
        head, _, *rows = ([cell.strip() for cell in line.strip("|").split("|")] for line in table.splitlines())
        place = head.index(HUMAN)
        columns[title.replace("**, ", ", ") + " songs"] = {row[0]: row[place] for row in rows}
    return columns


if __name__ == "__main__":
    raise SystemExit(main())
