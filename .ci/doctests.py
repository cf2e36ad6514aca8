"""Doctests in docstrings as examples of their own: in Markdown, `>>>` without a section is a quotation."""

from __future__ import annotations

import re
from textwrap import indent
from typing import Any

import griffe

DOCTEST = re.compile(r"^>>> .*?(?=\n\n|\Z)", re.MULTILINE | re.DOTALL)


class Doctests(griffe.Extension):
    """Puts each doctest under a heading that Griffe's Google style knows."""

    def on_object(self, *, obj: griffe.Object, **_: Any) -> None:
        if obj.docstring is not None:
            obj.docstring.value = DOCTEST.sub(
                lambda match: "Examples:\n" + indent(match[0], "    "), obj.docstring.value
            )
