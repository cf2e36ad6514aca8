"""A dataset's card: what it says of each corpus, its chords, and what stands twice."""

from __future__ import annotations

import pytest
from huggingface_hub import DatasetCard

from pianalysis.dataset.card import dataset_card
from pianalysis.dataset.report import BuildReport
from pianalysis.publishing.corpora_facts import CORPORA

STORIES = {
    "pop909": "POP909: A Pop-song Dataset",
    "openscore_lieder": "The OpenScore Lieder Corpus",
    "polish_scores": "pl-wnifc/humdrum-polish-scores",
    "hymns": "mzealey/openhymnal",
    "openewld": "00sapo/OpenEWLD",
    "folder": "whoever publishes this must say so",
}


def report_of(*names):
    report = BuildReport()
    for name in names:
        report.windows[f"{name}/train"] = 7
        report.pieces[f"{name}/train"] = 2
        report.bars[name], report.beats[name] = 40, 160
        report.chord_beats[name], report.chord_changes[name] = 120, 50
        report.chord_sources[f"{name}/rule"] = 2
    return report


@pytest.mark.parametrize("name", CORPORA)
def test_a_corpus_has_its_story_and_licence_where_it_is_in_the_build_and_nowhere_else(name, tmp_path):
    card = DatasetCard(dataset_card(report_of(name), tmp_path))
    assert [other for other, words in STORIES.items() if words in card.text] == [name]
    assert card.data.license == [CORPORA[name].license]
    assert CORPORA[name].tag in card.data.tags
    assert not {"{{", "{%"} & set(card.text.split())


def test_the_chords_of_each_corpus_are_in_a_table(tmp_path):
    report = report_of("pop909", "hymns")
    report.chord_sources.update({"pop909/label": 1_200})
    text = dataset_card(report, tmp_path)
    assert "| POP909 | MIT | label 1,200, rule 2 | 75.0% | 1.25 |" in text
    assert "| hymns, songs and carols | public domain | rule 2 | 75.0% | 1.25 |" in text
    assert "OpenEWLD" not in text


def test_what_stands_twice_is_listed_and_the_rest_counted(tmp_path):
    report = report_of("hymns")
    assert "No piece stands twice." in dataset_card(report, tmp_path)
    report.twice += [(f"piece|{number}", "other (hymns, test)") for number in range(23)]
    text = dataset_card(report, tmp_path)
    assert "| piece\\|0 | other (hymns, test) |" in text
    assert "and 3 more" in text


def test_all_corpora_together_name_each_licence_once(tmp_path):
    card = DatasetCard(dataset_card(report_of(*CORPORA), tmp_path))
    assert card.data.license == ["cc-by-4.0", "cc0-1.0", "mit", "other", "unknown"]


def test_the_viewer_shows_pieces_first_and_who_cites_finds_author_and_address(tmp_path):
    card = DatasetCard(dataset_card(report_of("hymns"), tmp_path))
    assert [config["config_name"] for config in card.data.configs if config.get("default")] == ["notes"]
    assert 'author = "{Pianalysis contributors}"' in card.text
    assert "url = {https://github.com/" in card.text
