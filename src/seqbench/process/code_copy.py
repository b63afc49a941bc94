"""A copy of the code that a workflow starts with: its jobs run that while the source may change.

What a job imports lies in one folder, named after its content, and so do the Snakefile with its
rules (`seqbench.pipeline`) and the config. So each result is made by the code whose digest it has,
and a job of a cluster, which reads the workflow anew on its node, reads that of the start.
"""

import hashlib
import os
import shutil
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path

from seqbench.errors import UserError

COPIES = Path(".snakemake", "seqbench", "code")
CACHE = "__pycache__"
KEPT_S = 7 * 24 * 3600.0  # an unused copy; jobs that outlive their workflow may still read it


def copy_code(sources: Iterable[Path], texts: Mapping[str, str], since: float) -> Path:
    """Copy packages and modules into `COPIES`, unless that copy is there, and return its folder.

    Times of files stay theirs, and folders of compiled code are links to those of the source,
    so that nothing is compiled once more.

    Parameters
    ----------
    sources
        Folders of packages and files of modules; links in them are followed, and what is hidden
        stays behind, as editors leave it there.
    texts
        Content of further files by name, such as the config.
    since
        When the workflow began to read its code, in seconds since the epoch.

    Raises
    ------
    UserError
        If a file has changed after `since`: the workflow may have read what it was before.
    """
    files = sorted(_files(sources))
    digest = hashlib.sha256()
    contents = {}
    for name, path in files:
        if path.stat().st_ctime > since:  # which no program that keeps times can keep
            raise UserError(f"{path}: changed while the workflow started; start it again")
        contents[name] = path.read_bytes()
    contents |= {name: text.encode() for name, text in texts.items()}
    for name, content in sorted(contents.items()):
        digest.update(f"{name}\n{len(content)}\n".encode() + content)
    copy = COPIES / digest.hexdigest()[:16]
    if not copy.is_dir():
        _write(copy, contents, dict(files))
    os.utime(copy)
    _remove_old()
    return copy


def _files(sources: Iterable[Path]) -> Iterator[tuple[str, Path]]:
    """Yield the files of packages and modules, with their paths in the copy."""
    for source in sources:
        if source.is_file():
            yield source.name, source
        for folder, below, names in os.walk(source, followlinks=True):
            below[:] = sorted(name for name in below if name != CACHE and name[0] != ".")
            place = Path(folder).relative_to(source.parent)
            shown = sorted(name for name in names if name[0] != ".")
            yield from (((place / name).as_posix(), Path(folder, name)) for name in shown)


def _write(copy: Path, contents: Mapping[str, bytes], sources: Mapping[str, Path]) -> None:
    temporary = copy.with_name(f"{copy.name}.{os.getpid()}.tmp")
    shutil.rmtree(temporary, ignore_errors=True)
    for name, content in contents.items():
        path = temporary / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        if name in sources:
            times = sources[name].stat()
            os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))
            if path.suffix == ".py":
                _share_cache(sources[name].parent / CACHE, path.parent / CACHE)
    try:
        temporary.rename(copy)
    except OSError:
        shutil.rmtree(temporary, ignore_errors=True)
        if not copy.is_dir():  # else another workflow has copied the same
            raise


def _share_cache(cache: Path, link: Path) -> None:
    if not link.is_symlink():
        with suppress(OSError):  # of a package that only others may write: the copy has its own
            cache.mkdir(exist_ok=True)
            link.symlink_to(cache.resolve())


def _remove_old() -> None:
    for copy in COPIES.iterdir():
        with suppress(FileNotFoundError):  # another workflow has renamed or removed it
            if time.time() - copy.stat().st_mtime > KEPT_S:
                shutil.rmtree(copy, ignore_errors=True)
