"""A folder in which other programs write."""

import pytest


@pytest.fixture(autouse=True)
def _in_folder(tmp_path, monkeypatch):
    (tmp_path / "written").mkdir()
    monkeypatch.chdir(tmp_path / "written")
