"""Imports point one way: what each room of plugins/ may import, over the whole import graph."""

from __future__ import annotations

import ast
import pathlib
import subprocess
import sys
from collections.abc import Iterator, Sequence

PLUGINS = pathlib.Path(__file__).parents[3] / "plugins"

#: Which other rooms a room may import from. ``entries``: pure files of registries that a definition names; spec and
#: filters ask them, see ``_ENTRIES``.
ALLOWED: dict[str, frozenset[str]] = {
    "core": frozenset(),
    "entries": frozenset({"core", "spec"}),
    "spec": frozenset({"core", "entries"}),
    "scaling": frozenset({"core", "spec"}),
    "aws": frozenset({"core", "spec"}),
    "nitro": frozenset({"core", "spec"}),
    "console": frozenset({"core", "spec"}),
    "stores": frozenset({"core", "spec"}),
}
#: What an entry imports when it is called, and not when it is loaded: a filter that loads the registry has no boto3.
WHEN_CALLED = {"entries": frozenset({"distributors"})}
#: Files of the folder distributors that load nothing that speaks to AWS; all files of the folder topologies do not.
_ENTRIES = frozenset({"base", "registry", "entry", "options", "names"})
_SIDES = frozenset({"entries", "core", "spec", "scaling", "aws", "nitro", "console", "stores"})
ALLOWED |= {
    "distributors": _SIDES,
    "attachments": _SIDES,
}
_PARTS = _SIDES | {"distributors", "attachments"}
ALLOWED |= {
    "reconcile": _PARTS,
    "preflight": _PARTS | {"reconcile"},
    "report": frozenset({"core", "spec", "scaling"}),
}

_TOPS = frozenset({"action", "modules", "filter", "lookup", "plugin_utils", "doc_fragments"})


def _files() -> list[pathlib.Path]:
    return sorted(p for p in PLUGINS.rglob("*.py"))


def _room_of(parts: Sequence[str]) -> str:
    """Return the room of a file or of a name in it, by the parts of its path below plugins/, without suffix."""
    if parts[0] != "module_utils":
        return parts[0]
    entry = parts[1] == "topologies" or (parts[1] == "distributors" and bool(_ENTRIES & set(parts[2:])))
    return "entries" if entry else parts[1]


def _room(path: pathlib.Path) -> str:
    return _room_of(path.relative_to(PLUGINS).with_suffix("").parts)


def _imports(path: pathlib.Path) -> Iterator[tuple[str, str, bool]]:
    """Yield (room, dotted name, whether at load time) for every relative import of the file."""
    package = path.relative_to(PLUGINS).parts[:-1]
    tree = ast.parse(path.read_text(encoding="utf-8"))
    at_load = set(map(id, tree.body))
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.level:
            base = package[: len(package) - node.level + 1]
            for alias in node.names:
                target = [*base, *(node.module.split(".") if node.module else []), alias.name]
                yield _room_of(target), ".".join(target), id(node) in at_load


def _violations() -> list[str]:
    wrong = []
    for path in _files():
        room = _room(path)
        if room in _TOPS or path.name == "__init__.py":
            continue
        allowed = ALLOWED[room] | {room}
        wrong += [
            f"{path.relative_to(PLUGINS)}: {name}"
            for other, name, loaded in _imports(path)
            if other not in (allowed if loaded else allowed | WHEN_CALLED.get(room, frozenset()))
        ]
    return wrong


def test_every_room_imports_only_from_the_rooms_below_it() -> None:
    assert _violations() == []


def test_every_folder_of_module_utils_has_a_rule() -> None:
    folders = {
        path.name for path in (PLUGINS / "module_utils").iterdir() if path.is_dir() and path.name != "__pycache__"
    }
    assert folders == set(ALLOWED) - {"entries"} | {"topologies"}


def test_imports_within_the_collection_are_relative() -> None:
    absolute = [
        f"{path.relative_to(PLUGINS)}: {node.module}"
        for path in _files()
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("ansible_collections.cloudadc")
    ]
    assert absolute == []


def test_work_side_by_side_is_done_in_one_place() -> None:
    users = [
        str(path.relative_to(PLUGINS)) for path in _files() if "ThreadPoolExecutor" in path.read_text(encoding="utf-8")
    ]
    assert users == ["module_utils/core/parallel.py"]


def test_module_utils_has_no_import_cycle() -> None:
    graph: dict[str, set[str]] = {}
    known = {".".join(path.relative_to(PLUGINS).with_suffix("").parts) for path in _files()}
    for path in _files():
        name = ".".join(path.relative_to(PLUGINS).with_suffix("").parts)
        named = {target for _room, target, _loaded in _imports(path)}
        targets = named | {name.rpartition(".")[0] for name in named}
        graph[name] = (targets & known) - {name}
    done: set[str] = set()

    def visit(name: str, trail: tuple[str, ...]) -> None:
        assert name not in trail, " -> ".join((*trail, name))
        if name not in done:
            for target in sorted(graph[name]):
                visit(target, (*trail, name))
            done.add(name)

    for name in sorted(graph):
        visit(name, ())


def test_modules_that_do_not_call_aws_do_not_import_boto3() -> None:
    """Importing boto3 takes longer than the rest of such a module's start."""
    modules = PLUGINS / "modules"
    appliance = [
        p.stem for p in sorted(modules.glob("*.py")) if "amazon.aws.common.modules" not in p.read_text("utf-8")
    ]
    assert {"vpx_ipset", "vpx_application", "vpx_cluster_node", "adm_device"} <= set(appliance)
    names = [f"ansible_collections.cloudadc.aws.plugins.modules.{name}" for name in appliance]
    code = (
        f"import importlib, sys\nfor name in {names}:\n    importlib.import_module(name)\nprint('boto3' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "False\n"
