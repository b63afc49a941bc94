"""Draw the rooms of the package from its real imports: a picture, and their table.

Run from the root of the repository. With `--check` nothing is written, and the exit code is 1
where picture or table no longer show what the code imports, or the page names a module that is
no longer there.
"""

import ast
import re
import sys
import tomllib
from html import escape
from pathlib import Path

import grimp

PACKAGE = "seqbench"
SOURCE = Path("src") / PACKAGE
PICTURE = Path("docs/explanation/architecture.svg")
PAGE = Path("docs/explanation/architecture.md")
BEGIN, END = "<!-- rooms: written by draw_architecture.py -->\n", "<!-- end of rooms -->\n"
WIDTH, ROW, BOX_WIDTH, BOX_HEIGHT = 960, 84, 128, 36

EVERYWHERE = {
    "errors",
    "extras",
    "layout",
}  # any room may import these; arrows to them show nothing

Imports = dict[str, set[str]]  # room -> the rooms that it imports


def layers() -> list[list[str]]:
    """Return the rooms as the import contract orders them, those that import most first."""
    settings = tomllib.loads(Path("pyproject.toml").read_text(encoding="utf-8"))
    contract = settings["tool"]["importlinter"]["contracts"][0]
    return [
        [room.strip().removeprefix(f"{PACKAGE}.") for room in row.split("|")]
        for row in contract["layers"]
    ]


def imports_between(rooms: set[str]) -> Imports:
    """Return which room imports which, imports for type checking alone left out."""
    graph = grimp.build_graph(PACKAGE, exclude_type_checking_imports=True, cache_dir=None)
    for room in rooms:
        if graph.find_children(f"{PACKAGE}.{room}"):
            graph.squash_module(f"{PACKAGE}.{room}")
    found = {
        room: {
            name.removeprefix(f"{PACKAGE}.")
            for name in graph.find_modules_directly_imported_by(f"{PACKAGE}.{room}")
        }
        for room in rooms
    }
    return {room: (imported & rooms) - {room} for room, imported in found.items()}


def reduced(imports: Imports) -> Imports:
    """Return imports without those that a path through other rooms shows as well."""

    def reachable(room: str) -> set[str]:
        return imports[room].union(*(reachable(other) for other in imports[room]))

    return {
        room: imported - set().union(*(reachable(other) for other in imported))
        for room, imported in imports.items()
    }


def summary(room: str) -> str:
    """Return the first line of a room's docstring."""
    path = SOURCE / room / "__init__.py"
    path = path if path.is_file() else SOURCE / f"{room}.py"
    text = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
    return text.split("\n\n")[0].replace("\n", " ")


def picture(rows: list[list[str]], imports: Imports) -> str:
    """Return the SVG: a row of boxes per layer, and an arrow per import that no other implies."""
    place = {}
    for level, row in enumerate(rows):
        for index, room in enumerate(row):
            x = WIDTH * (index + 0.5) / len(row)
            if len(row) == 1:  # alternate, so that arrows past a row do not run through its box
                x += WIDTH * 0.12 * (-1) ** level
            place[room] = (x, 24 + level * ROW)
    lines = []
    for room, imported in sorted(imports.items()):
        x, y = place[room]
        for other in sorted(imported, key=lambda name: place[name]):
            to_x, to_y = place[other]
            start, stop = y + BOX_HEIGHT, to_y - 7
            bend = (stop - start) * 0.45
            lines.append(
                f'<path d="M{x:.0f} {start:.0f}C{x:.0f} {start + bend:.0f} {to_x:.0f}'
                f' {stop - bend:.0f} {to_x:.0f} {stop:.0f}"/>'
            )
    boxes = [
        f'<g><rect x="{x - BOX_WIDTH / 2:.0f}" y="{y:.0f}" width="{BOX_WIDTH}"'
        f' height="{BOX_HEIGHT}" rx="6"/><text x="{x:.0f}" y="{y + 23:.0f}">{room}</text>'
        f"<title>{escape(summary(room))}</title></g>"
        for room, (x, y) in place.items()
    ]
    height = 24 + (len(rows) - 1) * ROW + BOX_HEIGHT + 16
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img"'
            ' aria-label="The rooms of seqbench and what imports what">',
            "<style>rect{fill:#fff;stroke:#3b5b7a}text{font:14px monospace;text-anchor:middle;"
            "fill:#14202b}path{fill:none;stroke:#7a8b99;marker-end:url(#a)}</style>",
            f'<rect width="{WIDTH}" height="{height}" style="fill:#f7f9fb;stroke:none"/>',
            '<marker id="a" viewBox="0 0 8 8" refX="1" refY="4" markerWidth="8" markerHeight="8"'
            ' orient="auto"><path d="M0 0L8 4L0 8z" style="fill:#7a8b99;stroke:none"/></marker>',
            *lines,
            *boxes,
            "</svg>\n",
        ]
    )


def table(rows: list[list[str]], imports: Imports) -> str:
    """Return the rooms as a Markdown table: what each holds, and all that it imports."""
    order = [room for row in rows for room in row]
    lines = ["| room | holds | imports |", "|---|---|---|"]
    for room in order:
        imported = ", ".join(f"`{other}`" for other in order if other in imports[room])
        lines.append(f"| `{room}` | {summary(room)} | {imported or 'none'} |")
    return "\n".join(lines) + "\n"


def missing_modules(page: str) -> list[str]:
    """Return the modules and rules that a page names and that are not there."""
    named = re.findall(r"`([a-z_0-9/]+\.(?:py|smk))`", page)
    return [name for name in named if not (SOURCE / name).is_file() and not Path(name).is_file()]


def main() -> None:
    """Write the picture and the table, or check them."""
    rows = layers()
    imports = imports_between({room for row in rows for room in row})
    drawn = [row for row in rows if not set(row) & EVERYWHERE]
    between = {room: imported - EVERYWHERE for room, imported in imports.items()}
    page = PAGE.read_text(encoding="utf-8")
    if missing := missing_modules(page):
        sys.exit(f"{PAGE}: names {', '.join(missing)}, which are not there; correct the page")
    before, _, rest = page.partition(BEGIN)
    after = rest.partition(END)[2]
    current = {
        PICTURE: picture(drawn, reduced({room: between[room] for row in drawn for room in row})),
        PAGE: f"{before}{BEGIN}{table(rows, imports)}{END}{after}",
    }
    for path, text in current.items():
        if "--check" not in sys.argv[1:]:
            path.write_text(text, encoding="utf-8")
        elif not path.is_file() or path.read_text(encoding="utf-8") != text:
            sys.exit(f"{path}: not what the code imports today; run `make architecture`")


if __name__ == "__main__":
    main()
