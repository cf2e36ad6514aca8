"""Every example in a command's help is understood by its parser."""

import re
import shlex

import pytest

from pianalysis.cli.arrange import ARRANGE_EXAMPLES, REGENERATE_EXAMPLES
from pianalysis.cli.chords import CHORDS_EXAMPLES
from pianalysis.cli.evaluate import EXAMPLES as EVALUATE_EXAMPLES
from pianalysis.cli.main import build_parser

EXAMPLES = ARRANGE_EXAMPLES + REGENERATE_EXAMPLES + CHORDS_EXAMPLES + EVALUATE_EXAMPLES
LINES = re.findall(r"^  (pianalysis .+)$", EXAMPLES, re.MULTILINE)


@pytest.mark.parametrize("line", LINES)
def test_an_example_is_understood(line):
    assert callable(build_parser().parse_args(shlex.split(line)[1:]).run)
