"""Every example in a command's help is understood by its parser."""

import re
import shlex

import pytest

from pianalysis.cli.arrange import ARRANGE_EXAMPLES, REGENERATE_EXAMPLES
from pianalysis.cli.chords import CHORDS_EXAMPLES
from pianalysis.cli.main import build_parser

LINES = re.findall(r"^  (pianalysis .+)$", ARRANGE_EXAMPLES + REGENERATE_EXAMPLES + CHORDS_EXAMPLES, re.MULTILINE)


@pytest.mark.parametrize("line", LINES)
def test_an_example_is_understood(line):
    assert callable(build_parser().parse_args(shlex.split(line)[1:]).run)
