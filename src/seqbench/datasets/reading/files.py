"""Which files of a folder are recordings, which belong to one, and which nobody can read."""

from collections.abc import Sequence
from pathlib import Path

from seqbench.datasets.base import Faults, fault
from seqbench.datasets.csv_text import plain
from seqbench.datasets.reading.recording import READERS
from seqbench.datasets.reading.wfdb_record import signal_file_names

HIDDEN = (".", "~$")  # first characters of files that systems and office programs leave behind
DOCUMENTS = ("README", "LICENSE", "RECORDS", "ANNOTATORS", "SHA256SUMS")  # as PhysioNet has them
TABLES = ("labels", "events", "groups")  # which stand beside `recordings/`
SIDECARS = (".atr", ".tdms_index")  # never a recording by themselves


def recording_files(
    inside: Path, label_suffixes: Sequence[str] = (), faults: Faults | None = None
) -> dict[str, Path]:
    """Return the file of each recording in a folder by its name, sorted.

    A file is a recording by its suffix, in capitals or not. Left out are hidden
    files, `DOCUMENTS` and Markdown, the signal files that a WFDB header names,
    `SIDECARS`, any other suffix with the stem of a header, and `label_suffixes`.

    Raises
    ------
    DataError
        If there is none, if two have one name, or if anything else is inside; unless
        `faults` takes it.
    """
    if faults is None:
        faults = Faults()
        files = recording_files(inside, label_suffixes, faults)
        faults.check()
        return files
    readable = ", ".join(READERS)
    found = [file for file in sorted(inside.iterdir()) if not file.name.startswith(HIDDEN)]
    headers = [file for file in found if file.suffix.lower() == ".hea" and file.is_file()]
    of_records = {name for header in headers for name in signal_file_names(header)}
    stems = {header.stem for header in headers}
    files = {}
    for file in found:
        with faults.collected():
            suffix = file.suffix.lower()
            if file.name in of_records or file.stem.upper() in DOCUMENTS or suffix == ".md":
                continue
            _check_is_file(file)
            if suffix in label_suffixes:
                continue
            if suffix == ".dat":
                hint = "put the header that names it beside it, or move it elsewhere"
                raise fault(file, "no WFDB header (.hea) in the folder names it", hint)
            if suffix not in READERS:
                if file.stem in stems or suffix in SIDECARS:
                    continue
                hint = f"convert it to one of {readable}, or move it elsewhere"
                raise fault(file, "it is no recording in a known format", hint)
            name = plain(file.stem)
            if name in TABLES and suffix in (".csv", ".txt"):
                hint = "move it to the folder above; if it is a recording, rename it"
                raise fault(file, "it is a table of labels, by its name", hint)
            if name.encode(errors="ignore").decode() != name:  # bytes that Python could not decode
                raise fault(file, "its name is not valid UTF-8", "rename the file")
            if name in files:
                hint = "rename or remove one of them"
                raise fault(file, f"{files[name].name} is also recording '{name}'", hint)
            files[name] = file
    with faults.collected():
        if not files and not faults.found:
            raise fault(inside, "it holds no recordings", f"put files into it: {readable}")
    return dict(sorted(files.items()))


def _check_is_file(file: Path) -> None:
    if file.is_dir():
        hint = "move the recordings in it to the folder above, or move it elsewhere"
        raise fault(file, "it is a folder, and folders in a folder are not searched", hint)
    if not file.is_file():
        hint = "put a file of that name here or remove this one"
        raise fault(file, "it is a link that leads nowhere, or no file", hint)
