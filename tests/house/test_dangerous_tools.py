"""Tools that turn text into actions have no place in the node (T60)."""

from __future__ import annotations

import ast

from tests.support.house import list_imports, list_python, parse, short

_UNPACK_CODE = {
    "pickle",
    "marshal",
    "shelve",
    "dill",
    "cloudpickle",
    "joblib",
    "code",
    "codeop",
    "pdb",
    "xmlrpc",
    "telnetlib",
}
_RUN_TEXT = {"eval", "exec", "compile", "__import__", "breakpoint", "input"}
_RUN_PROGRAMS = {"system", "popen", "getoutput", "create_subprocess_shell", "startfile"}
_STARTS_PROGRAMS = {
    "node/cli/demo.py",  # itself, with words of its own
    "node/community/posts/uploads.py",  # the cleaner of pictures, with one number
}


def _calls() -> list[tuple[str, ast.Call]]:
    return [
        (short(path), call)
        for path in list_python("node")
        for call in ast.walk(parse(path))
        if isinstance(call, ast.Call)
    ]


def test_t60_nothing_of_the_node_unpacks_code() -> None:
    strays = [
        f"{short(path)}: {name}"
        for path in list_python("node")
        for name in list_imports(path)
        if name.partition(".")[0] in _UNPACK_CODE
    ]

    assert strays == []


def test_t60_nothing_of_the_node_runs_text_as_code_or_in_a_shell() -> None:
    strays = [
        f"{path}:{call.lineno}"
        for path, call in _calls()
        if (isinstance(call.func, ast.Name) and call.func.id in _RUN_TEXT)
        or (isinstance(call.func, ast.Attribute) and call.func.attr in _RUN_PROGRAMS)
        or any(keyword.arg in ("shell", "debug") and ast.unparse(keyword.value) != "False" for keyword in call.keywords)
    ]

    assert strays == []


def test_t60_programs_are_started_in_two_places_only() -> None:
    starting = {
        path
        for path, call in _calls()
        if ast.unparse(call.func).startswith("subprocess.") or ast.unparse(call.func).endswith("create_subprocess_exec")
    }

    assert starting == _STARTS_PROGRAMS
