"""List the licences of the packages of `envs/lock.txt`, and refuse those that nobody allowed.

Run from the root of the repository, where these packages are installed; the row of one that is not
is kept while its version stays. With `--check` nothing is written, and the exit code is 1 where the
page does not show the lock, or a licence is not allowed.
"""

import re
import sys
from importlib.metadata import PackageNotFoundError, metadata
from pathlib import Path

LOCK = Path("envs/lock.txt")
PAGE = Path("docs/reference/licences.md")
BEGIN, END = "<!-- packages: written by list_licences.py -->\n", "<!-- end of packages -->\n"

ALLOWED = {
    "Apache-2.0",
    "Apache-2.0 WITH LLVM-exception",
    "BSD",  # of two or three clauses, where a package does not state which
    "BSD-2-Clause",
    "BSD-3-Clause",
    "BSL-1.0",
    "LGPL-3.0-only",  # of libraries that are imported as they are
    "MIT",
    "MIT-0",
    "MIT-CMU",
    "MPL-2.0",  # covers the files of the package alone
    "PSF-2.0",
    "public domain",
}
# CUDA, which the torch of PyPI needs, and torch without CUDA does not.
ALLOWED_OF_ONE = {"LicenseRef-NVIDIA-Proprietary": re.compile("nvidia-|cuda-toolkit$")}

# Where metadata state no licence or none that is clear: from the licence files of the packages.
STATED = {
    "conda-inject": "MIT",
    "cuda-toolkit": "LicenseRef-NVIDIA-Proprietary",  # it only names the libraries of CUDA
    "docutils": "public domain AND BSD-2-Clause",  # its GPL file, a mode of Emacs, is not installed
    "packaging": "Apache-2.0 OR BSD-2-Clause",
    "pympi-ling": "MIT",
    "quantities": "BSD-3-Clause",
    "snakemake-interface-common": "MIT",
    "snakemake-interface-logger-plugins": "MIT",
    "snakemake-interface-report-plugins": "MIT",
    "snakemake-interface-scheduler-plugins": "MIT",
    "snakemake-interface-storage-plugins": "MIT",
}

# Names of licences in metadata older than SPDX expressions, in small letters.
SPELLINGS = {
    "3-clause bsd license": "BSD-3-Clause",
    "apache 2.0": "Apache-2.0",
    "apache license": "Apache-2.0",
    "apache license, version 2.0": "Apache-2.0",
    "apache software license": "Apache-2.0",
    "bsd": "BSD",
    "bsd 3-clause license": "BSD-3-Clause",
    "bsd license": "BSD",
    "gnu lesser general public license v3 (lgplv3)": "LGPL-3.0-only",
    "mit license": "MIT",
    "nvidia proprietary software": "LicenseRef-NVIDIA-Proprietary",
    "other/proprietary license": "LicenseRef-NVIDIA-Proprietary",
    "python software foundation license": "PSF-2.0",
}


def locked() -> dict[str, str]:
    """Return the version of each package of the lock."""
    return dict(re.findall(r"^([\w.-]+)==(\S+)", LOCK.read_text(encoding="utf-8"), re.M))


def listed(page: str) -> dict[str, tuple[str, str]]:
    """Return version and licence of each package of the page."""
    return {
        name: (version, licence)
        for name, version, licence in re.findall(r"^\| `(.+?)` \| (\S+) \| (.+) \|$", page, re.M)
    }


def installed_licence(package: str, version: str) -> str | None:
    """Return the licence of a package, None if it is not installed in this version."""
    try:
        found = metadata(package)
    except PackageNotFoundError:
        return None
    if found["Version"].partition("+")[0] != version:  # torch without CUDA is 2.13.0+cpu
        return None
    if expression := STATED.get(package) or found.get("License-Expression"):
        return expression
    topics = [line.split(" :: ") for line in found.get_all("Classifier", [])]
    names = [topic[-1] for topic in topics if topic[0] == "License"]
    # Some give the whole text in place of a name; its first line often is one.
    names.insert(0, (found.get("License") or "").strip().partition("\n")[0])
    known = [SPELLINGS.get(name.lower(), name) for name in names]
    return next(
        (name for name in known if may_be_used(package, name)), " ".join(names) or "unknown"
    )


def may_be_used(package: str, licence: str) -> bool:
    """Return whether every licence of an expression is allowed of this package."""
    return all(
        one in ALLOWED or (one in ALLOWED_OF_ONE and ALLOWED_OF_ONE[one].match(package))
        for one in re.split(r" (?:AND|OR) ", licence)
    )


def main() -> None:
    """Write the page, or check it."""
    page = PAGE.read_text(encoding="utf-8")
    rows = listed(page)
    for package, version in (packages := locked()).items():
        kept = rows.get(package, ("", ""))
        licence = installed_licence(package, version) or (kept[1] if kept[0] == version else None)
        if licence is None:
            sys.exit(f"{PAGE}: no licence of {package}; pip install {package}=={version}")
        if not may_be_used(package, licence):
            sys.exit(
                f"{package} {version}: licence {licence} is not allowed; use another package, or"
                f" read its licence and add it to {Path(__file__).name}"
            )
        rows[package] = (version, licence)
    table = "| package | version | licence |\n|---|---|---|\n"
    table += "".join(f"| `{name}` | {rows[name][0]} | {rows[name][1]} |\n" for name in packages)
    before, _, rest = page.partition(BEGIN)
    text = f"{before}{BEGIN}{table}{END}{rest.partition(END)[2]}"
    if "--check" not in sys.argv[1:]:
        PAGE.write_text(text, encoding="utf-8")
    elif text != page:
        sys.exit(f"{PAGE}: not the packages of {LOCK}; run `make licences`")


if __name__ == "__main__":
    main()
