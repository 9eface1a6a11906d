"""A machine that cannot carry the lab is told so in one message that shows the other way."""

import pytest

from lab import fitness
from lab.errors import UnfitMachine


def test_all_reasons_stand_in_one_message(monkeypatch):
    monkeypatch.setattr(fitness.os, "geteuid", lambda: 1000)
    monkeypatch.setattr(fitness.shutil, "which", lambda name: None)
    monkeypatch.setattr(fitness, "_total_memory_gib", lambda: 2.0)

    with pytest.raises(UnfitMachine) as refused:
        fitness.require()

    message = str(refused.value)
    assert "you are not root" in message
    assert "no apt-get" in message
    assert "2.0 GiB of memory" in message
    assert "pytest suites --kubeconfig FILE --namespace NAMESPACE --harbor-url URL" in message


def test_another_system_is_the_only_reason_given(monkeypatch):
    monkeypatch.setattr(fitness.platform, "system", lambda: "Darwin")
    assert list(fitness._reasons()) == ["it runs Darwin; the lab is made of Linux namespaces"]


def test_too_little_disk_is_a_reason_before_the_lab_is_there_only(monkeypatch, tmp_path):
    usage = fitness.shutil.disk_usage(tmp_path)
    monkeypatch.setattr(fitness.shutil, "disk_usage", lambda _: usage._replace(free=2**30))
    monkeypatch.setattr(fitness.settings, "KUBECONFIG", tmp_path / "kubeconfig")
    assert any("1.0 GiB are free" in reason for reason in fitness._reasons())

    (tmp_path / "kubeconfig").touch()
    assert not any("free" in reason for reason in fitness._reasons())
