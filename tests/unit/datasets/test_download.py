"""Public data are fetched whole or not at all, and a folder that is there is left alone."""

import hashlib
import stat
import threading
import zipfile
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from seqbench.datasets.base import DataError
from seqbench.datasets.download import (
    SUMS,
    checksums,
    listed_folder,
    physionet_folder,
    read_sums,
    unzipped_folder,
)

FILES = {"1.hea": b"header", "data/1.dat": b"\0\1\2", "data/2.dat": b"\3\4", "notes.txt": b"-"}


class Handler(SimpleHTTPRequestHandler):
    requested: list[str]

    def do_GET(self) -> None:
        self.requested.append(self.path)
        super().do_GET()

    def log_message(self, *_: object) -> None:
        """Keep the output of the tests clean."""


@pytest.fixture
def server(tmp_path):
    """A web server of the folder `www`; its `requested` are the paths of the requests."""
    (tmp_path / "www").mkdir()
    handler = type("Recorder", (Handler,), {"requested": []})
    web = ThreadingHTTPServer(("127.0.0.1", 0), partial(handler, directory=tmp_path / "www"))
    threading.Thread(target=web.serve_forever, args=(0.01,), daemon=True).start()
    web.requested = handler.requested
    web.url = f"http://127.0.0.1:{web.server_port}"
    yield web
    web.shutdown()
    web.server_close()


@pytest.fixture
def physionet(server, tmp_path):
    """The data set `heart` 1.0 on a server that stands for PhysioNet; yields its folder there."""
    folder = tmp_path / "www/heart/1.0"
    rows = []
    for name, content in FILES.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
        rows.append(f"{hashlib.sha256(content).hexdigest()} {name}\n")
    (folder / SUMS).write_text("".join(rows))
    return folder


@pytest.fixture
def cache(tmp_path):
    return tmp_path / "cache"


@pytest.fixture
def fetch(server, cache):
    """Return the folder `heart` in the cache, downloaded if it is absent."""
    url = f"{server.url}/heart/1.0"
    return lambda: physionet_folder(cache / "heart", url, lambda path: path != "notes.txt")


def contents(folder: Path) -> dict[str, bytes]:
    files = [path for path in folder.rglob("*") if path.is_file()]
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


def test_what_is_needed_is_downloaded_with_its_list_of_checksums(physionet, fetch, cache, capsys):
    folder = fetch()

    needed = {name: content for name, content in FILES.items() if name != "notes.txt"}
    assert folder == cache / "heart"
    assert contents(folder) == needed | {SUMS: (physionet / SUMS).read_bytes()}
    assert not (cache / ".heart.part").exists()
    assert "3/3" in capsys.readouterr().err  # the progress bar


def test_a_folder_that_is_there_is_used_as_it_is(fetch, server, cache):
    (cache / "heart").mkdir(parents=True)

    assert contents(fetch()) == {}
    assert server.requested == []


def test_jobs_that_need_it_at_once_download_it_once(physionet, fetch, server, cache):
    with ThreadPoolExecutor(3) as pool:
        folders = {job.result() for job in [pool.submit(fetch) for _ in range(3)]}

    assert folders == {cache / "heart"}
    assert sorted(server.requested) == [
        f"/heart/1.0/{name}" for name in ("1.hea", SUMS, "data/1.dat", "data/2.dat")
    ]


def test_a_broken_download_leaves_no_folder_and_the_next_one_goes_on(
    physionet, fetch, server, cache
):
    (physionet / "data/2.dat").write_bytes(b"not as in the list")

    with pytest.raises(DataError, match=r"heart: it is absent, .*2\.dat.*does not match"):
        fetch()

    assert not (cache / "heart").exists()
    assert "data/2.dat" not in contents(cache / ".heart.part")
    (physionet / "data/2.dat").write_bytes(FILES["data/2.dat"])
    server.requested.clear()
    assert contents(fetch())["data/2.dat"] == FILES["data/2.dat"]
    assert "/heart/1.0/1.hea" not in server.requested


def test_a_file_that_the_server_lacks_is_an_error(physionet, fetch):
    (physionet / "1.hea").unlink()

    with pytest.raises(DataError, match="404"):
        fetch()


def test_offline_one_sentence_names_what_is_needed_and_where_to_put_it(cache):
    url = "http://127.0.0.1:9"  # nothing listens there
    with pytest.raises(DataError) as caught:
        physionet_folder(cache / "heart", url, lambda path: True)

    message = str(caught.value)
    assert message.startswith(f"{cache / 'heart'}: it is absent, and its download failed (")
    assert message.endswith(f"; put its files from {url} into it")
    assert "\n" not in message
    assert not (cache / "heart").exists()


def test_a_cache_that_cannot_be_written_is_an_error(fetch, cache):
    cache.write_text("a file, not a folder")

    with pytest.raises(DataError, match="its download failed"):
        fetch()


def test_a_page_in_place_of_the_list_is_an_error_that_does_not_stay(physionet, fetch):
    right = (physionet / SUMS).read_text()
    (physionet / SUMS).write_text("<html>log in first</html>")

    with pytest.raises(DataError, match=r"SHA256SUMS\.txt, row 1: it is not a SHA-256"):
        fetch()

    (physionet / SUMS).write_text(right)
    assert fetch().is_dir()


def test_a_list_without_the_files_is_an_error(physionet, server, cache):
    with pytest.raises(DataError, match="lists none of the files needed"):
        physionet_folder(cache, f"{server.url}/heart/1.0", lambda path: path == "3.hea")


@pytest.mark.parametrize("path", ["../1.hea", "/1.hea", "data/../../1.hea", "..\\1.hea", "."])
def test_a_list_that_reaches_out_of_the_folder_is_refused(tmp_path, path):
    (tmp_path / SUMS).write_text(f"{'0' * 64} 1.hea\n{'0' * 64} {path}\n")

    with pytest.raises(DataError, match="row 2"):
        read_sums(tmp_path / SUMS)


@pytest.mark.parametrize("mark", [" ", "  ", " *"])
def test_lists_are_read_in_their_dialects(tmp_path, mark):
    (tmp_path / SUMS).write_text(f"{'a' * 64}{mark}my data/1.hea\n")

    assert read_sums(tmp_path / SUMS) == {"my data/1.hea": "a" * 64}


def test_a_file_that_differs_from_the_list_is_named(physionet):
    (physionet / "more.txt").write_bytes(b"unlisted")
    contents = FILES | {"more.txt": b"unlisted"}
    sums = {name: hashlib.sha256(content).hexdigest() for name, content in contents.items()}
    assert checksums(physionet, contents, "") == sums

    (physionet / "data/2.dat").write_bytes(b"changed")

    with pytest.raises(DataError, match=r"data/2\.dat: its SHA-256 is not the one in SHA256SUMS"):
        checksums(physionet, FILES, "")


def test_absent_files_are_named_with_their_source(tmp_path):
    (tmp_path / "0.dat").touch()

    with pytest.raises(DataError) as caught:
        checksums(tmp_path, [f"{i}.dat" for i in range(9)], "https://example.org")

    assert str(caught.value).startswith(
        f"{tmp_path}: it lacks 8 files: 1.dat, 2.dat, 3.dat, 4.dat, 5.dat, 6.dat and 2 more;"
        " get them from https://example.org,"
    )


def test_files_whose_checksums_are_stated_are_downloaded_with_their_list(server, tmp_path, cache):
    sums: dict[str, dict[str, str]] = {}
    for name in ("one/a.csv", "other/data/b 1.csv"):
        path = tmp_path / "www" / name
        path.parent.mkdir(parents=True)
        path.write_text(name)
        place, _, file = name.partition("/")
        sums[f"{server.url}/{place}"] = {file: hashlib.sha256(name.encode()).hexdigest()}
    files = {name: digest for of_place in sums.values() for name, digest in of_place.items()}

    folder = listed_folder(cache / "wrist", sums)

    assert contents(folder).keys() == {*files, SUMS}
    assert checksums(folder, files, "") == files
    server.requested.clear()
    assert listed_folder(cache / "wrist", sums) == folder
    assert server.requested == []
    with pytest.raises(
        DataError, match=r"men: it is absent, .*does not match.*one and http.*other"
    ):
        listed_folder(cache / "men", sums | {f"{server.url}/other": {"data/b 1.csv": "0" * 64}})
    assert not (cache / "men").exists()


def make_zip(path: Path, files: dict[str, bytes]) -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        for name, content in files.items():
            file.writestr(name, content)


@pytest.fixture
def unpack(server, cache):
    """Return the folder `walks` in the cache, unpacked from the server if it is absent."""
    return lambda: unzipped_folder(cache / "walks", f"{server.url}/walks.zip")


def test_an_archive_is_unpacked_and_removed(server, unpack, tmp_path):
    make_zip(tmp_path / "www/walks.zip", {"Walks/1.txt": b"one", "Walks/2.txt": b"two"})

    folder = unpack()

    assert contents(folder) == {"Walks/1.txt": b"one", "Walks/2.txt": b"two"}
    server.requested.clear()
    assert unpack() == folder
    assert server.requested == []


@pytest.mark.parametrize("member", ["../out.txt", "/out.txt", "a/../../out.txt", "C:\\out.txt"])
def test_an_archive_that_reaches_out_of_its_folder_is_refused(unpack, tmp_path, cache, member):
    make_zip(tmp_path / "www/walks.zip", {"in.txt": b"in", member: b"out"})

    with pytest.raises(DataError, match="reaches out of the folder"):
        unpack()

    assert contents(cache / ".walks.part") == {}
    assert not list(tmp_path.rglob("*out.txt"))
    assert not (cache / "walks").exists()


def test_an_archive_with_a_link_in_it_is_refused(server, unpack, tmp_path, cache):
    link = zipfile.ZipInfo("walks/secrets")
    link.create_system = 3  # Unix
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    with zipfile.ZipFile(tmp_path / "www/walks.zip", "w") as file:
        file.writestr("walks/1.txt", b"one")
        file.writestr(link, "/etc/passwd")

    with pytest.raises(DataError, match=r"walks\.zip: its member 'walks/secrets' is a link"):
        unpack()

    assert contents(cache / ".walks.part") == {}
    assert not (cache / "walks").exists()


def test_a_damaged_archive_is_fetched_anew_the_next_time(server, unpack, tmp_path):
    archive = tmp_path / "www/walks.zip"
    make_zip(archive, {"1.txt": bytes(range(256)) * 40})
    whole = archive.read_bytes()
    archive.write_bytes(whole[: len(whole) // 2])

    with pytest.raises(DataError, match=r"walks\.zip: it cannot be read .*; start again"):
        unpack()

    archive.write_bytes(whole)
    folder = unpack()
    assert contents(folder) == {"1.txt": bytes(range(256)) * 40}
