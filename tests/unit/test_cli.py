import pytest
import yaml

from seqbench.cli import main
from seqbench.config import built_in_datasets
from seqbench.registry import REGISTRIES


def test_list_shows_every_name_and_option(capsys):
    main(["list"])

    shown = capsys.readouterr().out
    for registry in REGISTRIES:
        for name in registry:
            assert f"  {name} " in shown
            assert all(option in shown for option in registry.entry(name).options.model_fields)
    assert all(name in shown for name in built_in_datasets())


def test_check_tells_what_a_config_asks_for(tmp_path, capsys):
    config = tmp_path / "mine.yaml"
    config.write_text(
        "runs: [{datasets: [waves], architectures: [lstm, gru], seeds: [0, 1]}]\n"
        "baselines: [majority]\n"
    )

    main(["check", str(config)])

    assert "4 models to train, 1 baselines to fit" in capsys.readouterr().out


def test_check_answers_a_bad_config_with_a_sentence(tmp_path):
    config = tmp_path / "mine.yaml"
    config.write_text("runs: [{datasets: [wavs], architectures: [lstm]}]\n")

    with pytest.raises(SystemExit) as left:
        main(["check", str(config)])

    assert "unknown dataset 'wavs'; did you mean 'waves'?" in str(left.value)


def test_schema_prints_what_editors_need(capsys):
    main(["schema"])

    schema = yaml.safe_load(capsys.readouterr().out)
    assert schema["properties"]["finetune"]
    assert "hidden_size" in str(schema)
