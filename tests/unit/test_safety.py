"""Nothing that is read can run code, and no name of a user reaches a shell unquoted."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SOURCES = sorted((ROOT / "src").rglob("*.py"))
RULES = sorted((ROOT / "workflow" / "rules").glob("*.smk"))

# What the config restricts to letters, digits, '.', ':', '-' and '_', or what is quoted where it
# is put together.
PLAIN = {
    *("wildcards.dataset", "wildcards.architecture", "wildcards.arm", "wildcards.labels"),
    *(
        "wildcards.seed",
        "wildcards.rung",
        "wildcards.trial",
        "wildcards.source",
        "wildcards.tested_on",
        "resources.device",
        "resources.state_every_s",
        "resources.out_of_memory",
    ),
    *(
        "params.code",
        "params.encoder",
        "params.n_promoted",
        "params.refit",
        "params.tensorboard",
        "threads",
    ),
}


def calls():
    for path in SOURCES:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call):
                keywords = {word.arg: ast.unparse(word.value) for word in node.keywords}
                yield f"{path.name}:{node.lineno}", ast.unparse(node.func), keywords


@pytest.mark.parametrize(
    "forbidden",
    [
        lambda name, words: words.get("shell") == "True",
        lambda name, words: name in ("os.system", "os.popen", "exec"),
        lambda name, words: name in ("yaml.load", "yaml.unsafe_load", "yaml.full_load"),
        lambda name, words: name.split(".")[0] in ("pickle", "joblib", "dill", "shelve", "marshal"),
        lambda name, words: name == "torch.load" and words.get("weights_only") != "True",
        lambda name, words: words.get("allow_pickle", "False") != "False",
        lambda name, words: name in ("pd.read_pickle", "np.load") and "allow_pickle" not in words,
    ],
)
def test_what_could_run_the_content_of_a_file_is_nowhere_called(forbidden):
    assert [place for place, name, words in calls() if forbidden(name, words)] == []


def test_rules_quote_what_users_may_name():
    assert RULES
    for path in RULES:
        text = path.read_text(encoding="utf-8")
        commands = re.findall(r"shell:\n((?: +\".*\"\n)+)", text)
        assert len(commands) == len(re.findall(r"^    shell:", text, re.M)), path.name
        for command in commands:
            for field in re.findall(r"\{([^{}]+)\}", command):
                assert field.endswith(":q") or field in PLAIN, f"{path.name}: {{{field}}}"
