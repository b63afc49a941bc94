"""Folders of public data: found in the cache, or fetched into it.

A folder that is there is used as it is, so some files of a dataset serve, too. A
download gathers in a hidden folder beside, which takes its place once it is
complete; what a broken download has fetched is kept there for the next one.
"""

import re
import stat
import zipfile
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path, PurePosixPath

from seqbench.datasets.base import DataError, counted, explained, fault, sha256
from seqbench.errors import UserError
from seqbench.storage.lock import locked

SUMS = "SHA256SUMS.txt"
PATIENCE_S = 86_400.0  # for another job that downloads the same
N_CONNECTIONS = 4
N_NAMED = 6  # files that a message names one by one
HINT = "restore the file, or move its folder away to have all downloaded"


def physionet_folder(folder: Path, url: str, is_needed: Callable[[str], bool]) -> Path:
    """Return the folder of a PhysioNet data set, downloaded if it is absent.

    Parameters
    ----------
    folder
        Where the data set is kept.
    url
        Address below which PhysioNet has its files.
    is_needed
        Whether to download a file, by its path in the data set.

    Raises
    ------
    DataError
        If the download fails, or a file is not what PhysioNet's own list of
        checksums lists.
    """

    def fill(partial: Path) -> None:
        (partial / SUMS).unlink(missing_ok=True)
        _retrieve(f"{url}/{SUMS}", partial / SUMS)
        needed = {path: sha for path, sha in read_sums(partial / SUMS).items() if is_needed(path)}
        if not needed:
            raise fault(partial / SUMS, "it lists none of the files needed", f"look at {url}")
        _retrieve_all(url, needed, partial)

    return _folder(folder, url, fill)


def unzipped_folder(folder: Path, url: str) -> Path:
    """Return the folder of a data set that is one zip archive, downloaded if it is absent.

    Parameters
    ----------
    folder
        Where the archive is unpacked.
    url
        Address of the archive, which has no published checksum.

    Raises
    ------
    DataError
        If the download fails, or the archive is damaged or reaches out of the folder.
    """

    def fill(partial: Path) -> None:
        archive = partial / PurePosixPath(url).name
        try:
            _retrieve(url, archive, progressbar=True)
            _unzip(archive, partial)
        finally:
            archive.unlink(missing_ok=True)

    return _folder(folder, url, fill)


def listed_folder(folder: Path, sums: Mapping[str, Mapping[str, str]]) -> Path:
    """Return the folder of a data set whose checksums this package states, downloaded if absent.

    Parameters
    ----------
    folder
        Where the data set is kept.
    sums
        By the address below which files are, the SHA-256 by the path of each
        file; a download leaves them in the folder.

    Raises
    ------
    DataError
        If the download fails, or a file has another checksum.
    """

    def fill(partial: Path) -> None:
        listed = ""
        for url, needed in sums.items():
            _retrieve_all(url, needed, partial)
            listed += "".join(f"{digest}  {path}\n" for path, digest in needed.items())
        (partial / SUMS).write_text(listed, encoding="utf-8")

    return _folder(folder, " and ".join(sums), fill)


def checksums(folder: Path, names: Iterable[str], url: str) -> dict[str, str]:
    """Return the SHA-256 of files that a folder must hold, by their path in it.

    Parameters
    ----------
    folder
        As it is kept.
    names
        Paths in the folder.
    url
        Where to get the files, for the message.

    Raises
    ------
    DataError
        If a file is absent, or differs from what the folder's `SHA256SUMS.txt` lists.
    """
    names = list(names)
    absent = [name for name in names if not (folder / name).is_file()]
    if absent:
        rest = len(absent) - N_NAMED
        named = ", ".join(absent[:N_NAMED]) + (f" and {rest} more" if rest > 0 else "")
        hint = f"get them from {url}, or move the folder away to have all downloaded"
        raise fault(folder, f"it lacks {counted(len(absent), 'file')}: {named}", hint)
    listed = read_sums(folder / SUMS) if (folder / SUMS).is_file() else {}
    found = {name: sha256(folder / name) for name in names}
    for name, digest in found.items():
        if listed.get(name, digest) != digest:
            raise fault(folder / name, f"its SHA-256 is not the one in {SUMS}", HINT)
    return found


def read_sums(path: Path) -> dict[str, str]:
    """Return the SHA-256 that a list of checksums gives for each path.

    Raises
    ------
    DataError
        If a line is not a checksum and a path below the folder.
    """
    sums = {}
    text = path.read_text(encoding="utf-8", errors="replace")
    for number, line in enumerate(text.splitlines(), start=1):
        match = re.fullmatch(r"([0-9a-f]{64}) +[*]?(.+)", line.strip())
        if not match or not _is_below(match[2]):
            hint = "get the list anew, or remove it to go without"
            raise fault(path, "it is not a SHA-256 and the path of a file", hint, row=number)
        sums[match[2]] = match[1]
    return sums


def _folder(folder: Path, url: str, fill: Callable[[Path], None]) -> Path:
    """Return `folder`; if it is absent, `fill` makes it."""
    if folder.is_dir():
        return folder
    partial = folder.with_name(f".{folder.name}.part")
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with locked(partial.with_name(f"{partial.name}.lock"), PATIENCE_S):
            if not folder.is_dir():  # else another job was faster
                partial.mkdir(exist_ok=True)
                fill(partial)
                partial.rename(folder)
    except DataError:
        raise
    except (OSError, ValueError, UserError) as error:
        problem = f"it is absent, and its download failed ({type(error).__name__}: {error!s:.200})"
        raise fault(folder, problem, f"put its files from {url} into it") from None
    return folder


def _retrieve(
    url: str, path: Path, known_hash: str | None = None, *, progressbar: bool = False
) -> None:
    """Download one file; it appears whole and with the right hash, or not at all."""
    import pooch

    pooch.get_logger().setLevel("WARNING")  # it reports every file otherwise
    path.parent.mkdir(parents=True, exist_ok=True)
    pooch.retrieve(
        url, known_hash=known_hash, fname=path.name, path=path.parent, progressbar=progressbar
    )


def _retrieve_all(url: str, needed: Mapping[str, str], folder: Path) -> None:
    """Download files whose SHA-256 is known, several at a time."""
    from tqdm import tqdm

    def one(name: str) -> None:
        _retrieve(f"{url}/{name}", folder / name, f"sha256:{needed[name]}")

    with ThreadPoolExecutor(N_CONNECTIONS) as pool:
        # The first failure ends the loop, and with it what is still waiting.
        for _ in tqdm(pool.map(one, needed), total=len(needed), desc=url, unit="file"):
            pass


def _unzip(archive: Path, folder: Path) -> None:
    with explained(archive, "start again to download it anew"), zipfile.ZipFile(archive) as file:
        hint = "do not use this archive, and report it to those who offer it"
        for member in file.infolist():
            if not _is_below(member.filename):
                problem = f"its member '{member.filename}' reaches out of the folder"
                raise fault(archive, problem, hint)
            if stat.S_ISLNK(member.external_attr >> 16):  # the upper half is the mode on Unix
                raise fault(archive, f"its member '{member.filename}' is a link", hint)
        file.extractall(folder)


def _is_below(name: str) -> bool:
    """Return whether a path in a list or an archive stays in the folder it is meant for."""
    path = PurePosixPath(name.replace("\\", "/"))
    is_relative = not path.is_absolute() and ":" not in name
    return bool(path.parts) and is_relative and ".." not in path.parts
