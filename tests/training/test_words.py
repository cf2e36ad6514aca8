"""What a run says of itself while it goes and when it ends: in words, once, where someone reads them."""

from __future__ import annotations

from dataclasses import replace

import datasets
import pytest
from easy_music import write_windows

from pianalysis.training.runs import RunOptions, _say_what_is_validated_on, train


@pytest.mark.parametrize(
    ("songs", "said"), [(1, "6 windows of one song"), (2, "6 windows of 2 songs"), (3, ""), (0, "")]
)
def test_a_run_says_where_it_validates_on_few_songs(capsys, songs, said):
    column = {"piece_id": [str(index % songs) for index in range(6)]} if songs else {"input_ids": [[1]] * 6}
    _say_what_is_validated_on(datasets.Dataset.from_dict(column))
    err = capsys.readouterr().err
    assert said in err
    assert bool(said) == bool(err)
