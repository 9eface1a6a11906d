"""The documents say what the code does."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from docs import catalogue

REPOSITORY = Path(__file__).resolve().parents[2]
SEAMS = re.compile(
    r"\b(\w+) \1\b"  # a word twice
    r"|\b(same|its|a|an|every) (the|a|an|its)\b"  # two articles where a word was put in
    r"|\{\w*\}"  # a place that is left
    r"|\.\.|;;|,\.|\. \.| {2}"  # marks that met
    r"|\. [a-z]"  # a sentence that begins small
)
DOCUMENTS = sorted(
    file
    for pattern in ("*.md", "docs/**/*.md", "deploy/**/*.md", "lab/**/*.md")
    for file in REPOSITORY.glob(pattern)
)


def test_the_catalogue_of_checks_is_what_the_checks_say():
    program = "import catalogue; print(catalogue.catalogue(), end='')"
    now = subprocess.run(
        [sys.executable, "-c", program], cwd=REPOSITORY / "docs", capture_output=True, text=True, check=True
    )
    written = (REPOSITORY / "docs" / "checks.md").read_text()
    assert written == now.stdout, "docs/checks.md is out of date; `make docs` writes it"


def test_the_catalogue_leaves_no_place_for_a_word_and_says_what_a_check_is_about():
    written = (REPOSITORY / "docs" / "checks.md").read_text()
    assert not re.findall(r"\{\w*\}|\{\{", written)
    assert "- Only where Harbor has: robot accounts." in written


@pytest.mark.parametrize(
    "id, profile, hint",
    [
        (each.id, profile, hint)
        for each in catalogue.checks_of_suites()
        for profile, hint in catalogue.hints(each).items()
    ],
)
def test_a_hint_is_whole_sentences_in_the_words_of_each_generation(id, profile, hint):
    seams = [hint[max(0, seam.start() - 20) : seam.end() + 20] for seam in SEAMS.finditer(hint)]
    assert seams == []
    assert len(hint.split()) > 5
    assert hint.endswith((".", ".)", "`"))


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda file: str(file.relative_to(REPOSITORY)))
def test_every_link_to_a_file_leads_somewhere(document):
    links = re.findall(r"\]\(([^)#\s]+)\)", document.read_text())
    dead = [link for link in links if "://" not in link and not (document.parent / link).exists()]
    assert dead == []


def test_every_make_command_that_the_readme_names_is_there():
    named = set(re.findall(r"`make ([a-z-]+)", (REPOSITORY / "README.md").read_text()))
    targets = set(re.findall(r"^([a-z-]+):", (REPOSITORY / "Makefile").read_text(), re.MULTILINE))
    assert named
    assert named <= targets


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda file: str(file.relative_to(REPOSITORY)))
def test_no_document_is_left_unfinished(document):
    assert not re.search(r"\b(TODO|FIXME|XXX|FIGURES|lorem)\b", document.read_text())
