"""YAML files of users: read without running code, and refused where a key stands twice.

YAML lets a later key silently replace an earlier one, and a few lines of
aliases stand for more values than memory holds; both are refused here.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from seqbench.errors import UserError, one_line

MOST_VALUES = 100_000  # of a file with every alias written out; far more than any benchmark has


def read_yaml(path: Path) -> Any:
    """Return what a YAML file holds, as plain values.

    Raises
    ------
    UserError
        If it cannot be read, is not valid YAML, gives a key twice, or stands
        for too many values; one sentence that names the file and the line.
    """
    try:
        loader = yaml.SafeLoader(path.read_text(encoding="utf-8"))
        root = loader.get_single_node()
        if root is None:
            return None
        _check(path, root)
        return loader.construct_document(root)
    except UserError:
        raise
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not UTF-8 text"
        raise UserError(f"{path}: cannot be read ({reason}); name a YAML file") from None
    except RecursionError:
        raise UserError(f"{path}: its values are nested too deeply; write them flat") from None
    except yaml.MarkedYAMLError as error:
        raise UserError(one_line(f"{path}{_fault(error)}")) from None
    except Exception as error:  # a tag on what it does not fit raises nearly anything
        raise UserError(f"{path}: not valid YAML: {one_line(str(error))}") from None


def _fault(error: yaml.MarkedYAMLError) -> str:
    """Return where YAML cannot be read further, why, and where what is open there begins."""
    mark, begun = error.problem_mark, error.context_mark
    line = "" if mark is None else f", line {mark.line + 1}"
    context = "" if begun is None else f" ({error.context}, from line {begun.line + 1})"
    return f"{line}: not valid YAML{context}: {error.problem}; correct indents, brackets or quotes"


def _check(path: Path, root: yaml.Node) -> None:
    """Refuse repeated keys, and aliases that multiply."""
    sizes: dict[int, int] = {}

    def size(node: yaml.Node, above: frozenset[int]) -> int:
        if id(node) in above:
            line = node.start_mark.line + 1
            raise UserError(f"{path}, line {line}: it holds itself; take the alias out")
        if id(node) not in sizes:
            if isinstance(node, yaml.MappingNode):
                _check_keys(path, node)
            below = above | {id(node)}
            sizes[id(node)] = 1 + sum(size(part, below) for part in _parts(node))
        return sizes[id(node)]

    if size(root, frozenset()) > MOST_VALUES:
        raise UserError(f"{path}: its aliases stand for too many values; write out what is meant")


def _parts(node: yaml.Node) -> Iterator[yaml.Node]:
    if isinstance(node, yaml.SequenceNode):
        yield from node.value
    elif isinstance(node, yaml.MappingNode):
        for pair in node.value:
            yield from pair


def _check_keys(path: Path, node: yaml.MappingNode) -> None:
    lines: dict[tuple[str, str], int] = {}
    for key, _ in node.value:
        if not isinstance(key, yaml.ScalarNode):
            continue  # no key of a config; the loader refuses it
        line, name = key.start_mark.line + 1, (key.tag, key.value)
        if name in lines:
            problem = f"the key '{key.value}' is given already in line {lines[name]}"
            raise UserError(one_line(f"{path}, line {line}: {problem}; keep one of the two"))
        lines[name] = line
