import inspect

import pytest

from seqbench.config.registry import ARCHITECTURES, REGISTRIES, Registry

ENTRIES = [(registry, name) for registry in REGISTRIES for name in registry]


@pytest.mark.parametrize(
    ("registry", "name"), ENTRIES, ids=lambda value: getattr(value, "kind", value)
)
def test_options_read_from_source_are_those_of_the_real_signature(registry, name):
    real = {
        parameter.name: parameter.default
        for parameter in inspect.signature(registry[name]).parameters.values()
        if parameter.kind is inspect.Parameter.KEYWORD_ONLY
    }

    read = {
        key: inspect.Parameter.empty if field.is_required() else field.default
        for key, field in registry.entry(name).options.model_fields.items()
    }

    assert read == real


@pytest.mark.parametrize(
    ("registry", "name"), ENTRIES, ids=lambda value: getattr(value, "kind", value)
)
def test_every_entry_and_every_option_is_described(registry, name):
    entry = registry.entry(name)

    assert entry.summary.endswith(".")
    for option, field in entry.options.model_fields.items():
        assert field.description, f"{name}.{option} is missing in the docstring"


def test_an_unknown_name_is_refused_with_the_nearest():
    with pytest.raises(KeyError, match="unknown architecture 'lsmt'; did you mean 'lstm'"):
        ARCHITECTURES["lsmt"]


def test_a_taken_name_is_an_error():
    registry = Registry("THINGS", kind="thing", package="seqbench.none")

    @registry.register("one")
    def first(): ...

    with pytest.raises(ValueError, match="thing 'one' is already taken"):

        @registry.register("one")
        def second(): ...


def test_a_new_file_is_a_new_name(tmp_path, monkeypatch):
    package = tmp_path / "extensions"
    package.mkdir()
    (package / "new.py").write_text(
        "@THINGS.register('one', colour='red')\n"
        "class One:\n"
        '    """First thing.\n\n'
        "    Parameters\n"
        "    ----------\n"
        "    size\n"
        "        How large\n"
        "        it is.\n"
        '    """\n'
        "    def __init__(self, given, *, size: Count = 3): ...\n"
    )
    monkeypatch.setattr("seqbench.config.registry.__file__", str(tmp_path / "config/registry.py"))
    registry = Registry("THINGS", kind="thing", package="seqbench.extensions")

    assert list(registry) == ["one"]
    assert registry.entry("one").tags == {"colour": "red"}
    assert registry.entry("one").options().size == 3
    assert registry.entry("one").options.model_fields["size"].description == "How large it is."
    with pytest.raises(ValueError, match="greater than or equal to 1"):
        registry.entry("one").options(size=0)
