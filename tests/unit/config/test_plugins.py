"""Names that a package of others registers through an entry point."""

import importlib

import pytest

from seqbench.config import plugins, registry
from seqbench.config.registry import ARCHITECTURES, BASELINES, Registry
from seqbench.errors import UserError
from seqbench.process import code_digest
from seqbench.process.code_digest import source_digest

MODULE = '''
from .widths import WIDTH
from seqbench.config.registry import {registry}

@{registry}.register("{name}", accepts=("series",))
def build(n_channels: int, *, width: Count = 4):
    """Something of others.

    Parameters
    ----------
    width
        How wide.
    """
    return WIDTH
'''


@pytest.fixture
def install(tmp_path, monkeypatch):
    """Put a package and its metadata where Python looks for installed ones."""

    def put(package: str, registry_name: str, name: str, point: str | None = None) -> None:
        folder, metadata = tmp_path / package, tmp_path / f"{package}-1.0.dist-info"
        folder.mkdir()
        metadata.mkdir()
        (folder / "__init__.py").write_text('raise ImportError("imported too early")\n')
        (folder / "widths.py").write_text("WIDTH = 1\n")
        text = MODULE.format(registry=registry_name, name=name)
        (folder / "parts.py").write_text(text)
        (metadata / "METADATA").write_text(f"Name: {package}\nVersion: 1.0\n")
        entry = f"[{plugins.GROUP}]\n{package} = {point or package}\n"
        (metadata / "entry_points.txt").write_text(entry)
        forget()

    def forget() -> None:
        importlib.invalidate_caches()
        plugins.plugin_modules.cache_clear()
        for cached in (source_digest, code_digest._parsed, code_digest._file):
            cached.cache_clear()

    monkeypatch.syspath_prepend(str(tmp_path))
    yield put
    monkeypatch.undo()
    forget()


def test_packages_of_plugins_are_their_outermost_folders(install, tmp_path):
    install("wide_things", "ARCHITECTURES", "widest", point="wide_things.parts")

    assert plugins.plugin_packages() == [tmp_path / "wide_things"]


def searched_anew(one: Registry) -> Registry:
    return Registry(one.variable, kind=one.kind, package=one.package)


@pytest.mark.parametrize("one", registry.REGISTRIES, ids=lambda one: one.kind)
def test_an_installed_package_adds_names_to_every_registry_without_being_imported(install, one):
    install("wide_things", one.variable, "widest")

    entry = searched_anew(one).entry("widest")

    assert (entry.module, entry.summary) == ("wide_things.parts", "Something of others.")
    assert entry.options().width == 4


def test_a_single_module_is_a_plugin_too(install, tmp_path):
    install("wide_things", "BASELINES", "widest", point="wide_module")
    (tmp_path / "wide_things/parts.py").rename(tmp_path / "wide_module.py")
    importlib.invalidate_caches()

    assert searched_anew(BASELINES).entry("widest").module == "wide_module"


@pytest.mark.parametrize(
    ("name", "other"),
    [("lstm", "seqbench.models.recurrent"), ("widest", "first_things.parts")],
    ids=["built in", "of another package"],
)
def test_a_name_taken_twice_is_an_error_that_names_both_packages(install, name, other):
    install("first_things", "ARCHITECTURES", "widest")
    install("second_things", "ARCHITECTURES", name)

    with pytest.raises(
        UserError, match=f"architecture '{name}' is registered twice: in {other} and in second_th"
    ):
        list(searched_anew(ARCHITECTURES))


def test_an_entry_point_to_nothing_names_what_is_missing(install):
    install("wide_things", "BASELINES", "widest", point="gone_things")

    with pytest.raises(UserError, match=r"'wide_things' .* names 'gone_things'"):
        list(searched_anew(BASELINES))


def test_an_edit_in_a_plugin_runs_its_jobs_again(install, tmp_path):
    install("wide_things", "BASELINES", "widest")
    widths, before = tmp_path / "wide_things/widths.py", source_digest("wide_things.parts")

    def digest(text: str) -> str:
        widths.write_text(text)
        for cached in (source_digest, code_digest._parsed):
            cached.cache_clear()
        return source_digest("wide_things.parts")

    assert digest("WIDTH = 1  # one\n") == before
    assert digest("WIDTH = 2\n") != before
