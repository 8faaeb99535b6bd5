"""
Processes of their own that cost little: forks of one process, which has imported and compiled all that a run needs.

To import it takes longer than most commands run. `warmed.py` is what that process does before it is forked.
"""

import multiprocessing
import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from unittest.mock import patch

import pytest

_FORKS = multiprocessing.get_context("forkserver")
_FORKS.set_forkserver_preload(["warmed"])

_AS_IT_IS = "PYTEST_DONT_REWRITE"
"""In a module's docstring: pytest does not warn that it is too late to rewrite the module's assertions."""


def fork(
    function: Callable[..., object],
    *arguments: object,
    where: Path,
    environment: Mapping[str, str],
    output: Path,
    errors: Path,
    timeout: float,
) -> int:
    """Call a function in a process of its own, and return the exit status of that process."""
    process = _FORKS.Process(
        target=_call, args=(function, arguments, where, {**environment}, {1: output, 2: errors})
    )
    # The first call starts the process that is forked, which looks for modules where the environment says.
    with patch.dict(os.environ, PYTHONPATH=str(Path(__file__).parent)):
        process.start()
    process.join(timeout)
    if process.exitcode is None:
        process.kill()
        process.join()
        raise subprocess.TimeoutExpired(str(arguments), timeout)
    status: int = process.exitcode
    process.close()
    return status


def _call(
    function: Callable[..., object],
    arguments: tuple[object, ...],
    where: Path,
    environment: dict[str, str],
    outputs: dict[int, Path],
) -> None:
    for number, path in outputs.items():
        file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        os.dup2(file, number)
        os.close(file)
    os.chdir(where)
    os.environ.clear()
    os.environ.update(environment)
    function(*arguments)


def run_main(*arguments: str) -> None:
    """Run the command in this process, as its script does."""
    from conformance.cli import main

    sys.argv = ["conformance", *arguments]
    main()


def session(project: pytest.Pytester, *arguments: str) -> pytest.RunResult:
    """Run pytest in a project, in a process of its own, as `runpytest_subprocess` does."""
    output, errors = project.path / "stdout", project.path / "stderr"
    for path in (output, errors):
        path.unlink(missing_ok=True)
    began = time.monotonic()
    status = fork(
        _run_pytest,
        f"--basetemp={project.mkdir(f'runpytest-{time.monotonic_ns()}')}",
        *arguments,
        where=project.path,
        environment=os.environ,
        output=output,
        errors=errors,
        timeout=300,
    )
    told = output.read_text(encoding="utf-8")
    print(told)
    wrong = errors.read_text(encoding="utf-8").splitlines()
    return pytest.RunResult(status, told.splitlines(), wrong, time.monotonic() - began)


def _run_pytest(*arguments: str) -> None:
    here = Path(__file__).parent
    sys.path[:] = [str(Path.cwd()), *(each for each in sys.path if Path(each) != here)]
    for name, module in [*sys.modules.items()]:
        if here in Path(getattr(module, "__file__", None) or "/").parents:
            del sys.modules[name]  # the project may have a module of this name
        elif module.__doc__ != _AS_IT_IS:
            module.__doc__ = _AS_IT_IS
    sys.argv = ["pytest", *arguments]
    sys.exit(pytest.main())
