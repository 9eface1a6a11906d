"""What stands on a terminal of 80 columns: lines that come and go leave nothing behind."""

import io
from contextlib import nullcontext
from types import SimpleNamespace

import pytest
from _pytest.terminal import TerminalReporter

from harbor_verify.plugin.terminal import shower, teller

WIDTH = 80


class Terminal(io.StringIO):
    def isatty(self):
        return True

    def lines(self):
        """As a terminal shows what was written: `\\r` goes back, a full line goes on in the next."""
        rows, column = [[]], 0
        for letter in self.getvalue():
            if letter == "\r":
                column = 0
            elif letter == "\n":
                rows.append([])
                column = 0
            else:
                if column == WIDTH:
                    rows.append([])
                    column = 0
                rows[-1][column : column + 1] = [letter]
                column += 1
        return ["".join(row).rstrip() for row in rows]


@pytest.fixture
def terminal():
    return Terminal()


@pytest.fixture
def config(terminal, pytestconfig, monkeypatch):
    monkeypatch.setenv("COLUMNS", str(WIDTH))
    plugins = {
        "terminalreporter": TerminalReporter(pytestconfig, file=terminal),
        "capturemanager": SimpleNamespace(global_and_fixture_disabled=nullcontext),
    }
    return SimpleNamespace(pluginmanager=SimpleNamespace(getplugin=plugins.get))


def test_a_line_that_stays_takes_the_place_of_one_that_goes(config, terminal):
    shower(config)("before: 12 operations, 0 without a good answer")
    teller(config)("pod-kill web-0, while 12 clients are at work")
    assert terminal.lines() == ["      · pod-kill web-0, while 12 clients are at work", ""]


def test_a_line_that_is_taken_away_leaves_the_beginning_of_an_empty_one(config, terminal):
    show = shower(config)
    show("after: 300 operations, 0 without a good answer")
    show("after: 9 operations")
    show("")
    terminal.write("pass")
    assert terminal.lines() == ["pass"]


def test_a_line_that_is_too_long_is_cut(config, terminal):
    shower(config)("x" * 200)
    assert terminal.lines() == ["      " + "x" * (WIDTH - 7)]
