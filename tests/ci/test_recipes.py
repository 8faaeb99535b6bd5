"""Each recipe for CI is run step by step, as its file says, in a project of its own with a server that deviates."""

import os
import re
import shlex
import shutil
import socket
import subprocess
import sys
import sysconfig
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from command_line import conformance

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
SUITE = "twilio-configuration-conformance"
PAGE = (ROOT / "docs" / "how-to-ci.md").read_text(encoding="utf-8")
EXPIRED = "expires = 2020-01-31\n"
SERVER = """\
#!/bin/sh
# A run that does not wait has given up by then.
sleep 2
exec {python} -m conformance.cli serve --port 4007 --fault closed-timer-minimum-one-second-less
"""


def recipe(heading: str) -> str:
    """The first block of code under a heading of the page."""
    section = PAGE.partition(f"\n## {heading}\n")[2]
    found = re.search(r"^```\w+\n(.*?)^```$", section, re.MULTILINE | re.DOTALL)
    assert found is not None
    return found[1]


class Project:
    """A user's project, with the suite in a folder and a server on a port of its own."""

    def __init__(self, path: Path) -> None:
        self.path = path
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = str(free.getsockname()[1])
        self.known = path / "known-deviations.toml"
        self.known.touch()
        (path / SUITE).symlink_to(ROOT)
        server = path / "start-my-server"
        server.write_text(self.own(SERVER.format(python=sys.executable)))
        server.chmod(0o755)
        self.environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith(("CONF", "GITHUB"))},
            # Few requests, and packages that are here already: what the recipe says stays as it is.
            "CONFORMANCE_PROFILE": "quick",
            "CONFORMANCE_ONLY": "closed-timer-minimum",
            "PIP_NO_BUILD_ISOLATION": "0",  # which means that there is none (pypa/pip 5735)
            "PIP_DISABLE_PIP_VERSION_CHECK": "1",
            "PYTHONPATH": sysconfig.get_path("purelib"),
        }
        self._servers: list[subprocess.Popen[bytes]] = []

    def own(self, text: str) -> str:
        """A text of a recipe with the port of this project."""
        return text.replace("4007", self.port)

    def shell(self, script: str, **environment: str) -> subprocess.CompletedProcess[str]:
        """Run a step. What it starts in the background lives as long as the project, as in a job."""
        background = re.match(r"(\./start-my-server) &\n?", script)
        if background:
            self._servers.append(subprocess.Popen([background[1]], cwd=self.path, env=self.environment))
            script = script[background.end() :]
        return subprocess.run(
            ["bash", "-eo", "pipefail", "-c", self.own(script)],
            cwd=self.path,
            env={**self.environment, **environment},
            capture_output=True,
            text=True,
            check=False,
        )

    def end(self) -> None:
        """End the servers."""
        for server in self._servers:
            server.kill()
            server.wait()

    def accept(self) -> None:
        """Keep the deviation that was found as known."""
        done = conformance(self.path, "baseline", "conformance-report", "--reason", "being mended")
        assert done.returncode == 0, done.stderr

    def expire(self) -> None:
        """Let every entry of the known deviations end in the past."""
        text = self.known.read_text(encoding="utf-8")
        text = re.sub("^expires = .*\n", "", text, flags=re.MULTILINE)
        self.known.write_text(re.sub("^(reason = .*\n)", rf"\1{EXPIRED}", text, flags=re.MULTILINE))


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    made = Project(tmp_path)
    yield made
    made.end()


def red_green_red(project: Project, steps: list[str], **environment: str) -> list[str]:
    """Run a job for a new, a known and an expired deviation; what its last step printed each time."""
    printed = []
    *before, judging = steps
    for step in before:
        done = project.shell(step, **environment)
        assert done.returncode == 0, done.stdout + done.stderr
    done = project.shell(judging, **environment)
    assert done.returncode == 1, done.stdout + done.stderr
    printed.append(done.stdout)
    for change, status in ((project.accept, 0), (project.expire, 1)):
        change()
        done = project.shell(judging, **environment)  # the server still runs, and the suite is installed
        assert done.returncode == status, done.stdout + done.stderr
        printed.append(done.stdout)
    return printed


@pytest.fixture
def github(project: Project) -> dict[str, str]:
    """The files that a runner gives to a step, by the variables that name them."""
    files = {name: project.path / name.lower() for name in ("GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY")}
    return {
        "GITHUB_ACTIONS": "true",
        "RUNNER_TEMP": str(project.path / "temp"),
        **{name: str(path) for name, path in files.items()},
    }


def inputs_filled(value: str, action: dict[str, Any], given: dict[str, str]) -> str:
    """A value of an action with its expressions filled in."""
    known = {f"inputs.{name}": given.get(name, each["default"]) for name, each in action["inputs"].items()}
    known["github.action_path"] = f"./{SUITE}"
    return re.sub(r"\$\{\{ (\S+) \}\}", lambda match: known[match[1]], value)


def test_github(project: Project, github: dict[str, str]) -> None:
    workflow = yaml.safe_load(recipe("GitHub Actions"))
    _, start, use, upload = workflow["jobs"]["conformance"]["steps"]
    action = yaml.safe_load((project.path / use["uses"] / "action.yml").read_text(encoding="utf-8"))
    given = {
        **use["with"],
        "profile": "quick",
        "only": "closed-timer-minimum",
        "target": project.own(use["with"]["target"]),
    }
    steps = [start["run"]]
    for step in action["runs"]["steps"]:
        variables = {name: inputs_filled(value, action, given) for name, value in step["env"].items()}
        exports = "".join(f"export {name}={shlex.quote(value)}\n" for name, value in variables.items())
        steps.append(exports + step["run"])
    red, green, expired = red_green_red(project, steps, **github)

    (error,) = re.findall("^::error title=(.*?)::(.*)$", red, re.MULTILINE)
    assert error[0] == "MUST closed-timer-minimum"
    assert "DefaultClosedTimer=PT599S was accepted%0A" in error[1]
    assert "%0Acurl " in error[1]
    assert re.findall("^::notice title=MUST closed-timer-minimum::", green, re.MULTILINE)
    assert "::error" not in green
    assert "\n::error title=" in expired
    outputs = Path(github["GITHUB_OUTPUT"]).read_text().splitlines()
    assert outputs == ["verdict=deviation", "exit-code=1", "verdict=known", "exit-code=0", *outputs[:2]]
    assert set(action["outputs"]) == {line.partition("=")[0] for line in outputs}
    assert "closed-timer-minimum" in Path(github["GITHUB_STEP_SUMMARY"]).read_text()
    assert (project.path / upload["with"]["path"] / "report.html").exists()


def test_several_machines(project: Project, github: dict[str, str]) -> None:
    jobs = yaml.safe_load(recipe("Several machines"))["jobs"]
    _, start, install, judge, keep = jobs["shard"]["steps"]
    *_, merge, upload = jobs["conformance"]["steps"]
    shards = [
        [text.replace("${{ matrix.shard }}", str(number)) for text in (judge["run"], keep["with"]["path"])]
        for number in jobs["shard"]["strategy"]["matrix"]["shard"]
    ]
    assert install["run"].startswith("pip install ")
    assert merge["run"].split()[2:] == [folder for _, folder in shards]
    project.environment["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    script = "\n".join([*(script for script, _ in shards), f"rm -f $GITHUB_STEP_SUMMARY\n{merge['run']}"])
    red, green, _ = red_green_red(project, [start["run"], script], **github)
    assert "\n::error title=MUST closed-timer-minimum::" in red
    assert "::error" not in green
    assert "closed-timer-minimum" in Path(github["GITHUB_STEP_SUMMARY"]).read_text()
    assert (project.path / upload["with"]["path"] / "report.html").exists()


def test_gitlab(project: Project) -> None:
    job = yaml.safe_load(recipe("GitLab"))["conformance"]
    venv = project.path / "image"
    subprocess.run([sys.executable, "-m", "venv", str(venv)], check=True)
    project.environment["PATH"] = f"{venv}/bin{os.pathsep}{os.environ['PATH']}"
    red_green_red(project, job["script"])
    assert (venv / "bin" / "conformance").exists()
    assert (project.path / job["artifacts"]["reports"]["junit"]).exists()


def test_jenkins(project: Project) -> None:
    (script,) = re.findall("sh '''\n(.*?)'''", recipe("Jenkins"), re.DOTALL)
    lines = [line.strip() for line in script.strip().splitlines()]
    red_green_red(project, lines)
    (junit,) = re.findall("junit '(.*)'", recipe("Jenkins"))
    assert (project.path / junit).exists()


def test_containerfile(project: Project) -> None:
    """The instructions by themselves: this machine's folders in place of the image's, its Python, and no network."""
    image = project.path / "image"
    entry: list[str] = []
    steps = ["./start-my-server &"]
    text = (ROOT / "Containerfile").read_text(encoding="utf-8").replace("/opt/", f"{image}/opt/")
    for line in text.replace("/source", f"{image}/source").splitlines():
        name, _, rest = line.partition(" ")
        if name == "COPY" and not rest.startswith("--from"):
            *sources, to = rest.split()
            Path(to).mkdir(parents=True, exist_ok=True)
            for source in sources:
                path = ROOT / source
                if path.is_dir():
                    shutil.copytree(
                        path, to, dirs_exist_ok=True, ignore=shutil.ignore_patterns("__pycache__")
                    )
                else:
                    shutil.copy(path, to)
        elif name == "RUN":
            steps.append(rest)
        elif name == "ENV":
            steps.append(f"export {rest}")
        elif name == "ENTRYPOINT":
            entry = yaml.safe_load(rest)
    (environment,) = (step for step in steps if step.startswith("export "))
    steps.remove(environment)
    words = recipe("A container").replace("\\\n", " ").splitlines()[-1].split()
    command = [*entry, *words[words.index("conformance") + 1 :]]
    red_green_red(project, [*steps, f"{environment}\n{shlex.join(command)}"])


def test_pre_commit(project: Project) -> None:
    (repository,) = yaml.safe_load(recipe("pre-commit"))["repos"]
    (chosen,) = repository["hooks"]
    hooks = yaml.safe_load(
        (project.path / repository["repo"] / ".pre-commit-hooks.yaml").read_text(encoding="utf-8")
    )
    (hook,) = (each for each in hooks if each["id"] == chosen["id"])
    entry = [
        sys.executable,
        "-m",
        "conformance.cli",
        *shlex.split(hook["entry"])[1:],
        *chosen["args"],
        "--wait",
        "30",
    ]
    red_green_red(project, ["./start-my-server &", shlex.join(entry)])


@pytest.mark.parametrize(
    ("schema", "text"),
    [
        ("vendor.github-workflows", recipe("GitHub Actions")),
        ("vendor.github-workflows", recipe("Several machines")),
        ("vendor.github-actions", (ROOT / "action.yml").read_text(encoding="utf-8")),
        ("vendor.gitlab-ci", recipe("GitLab")),
    ],
    ids=["workflow", "matrix", "action", "gitlab"],
)
def test_the_vendors_schema_takes_it(tmp_path: Path, schema: str, text: str) -> None:
    pytest.importorskip("check_jsonschema")
    file = tmp_path / "recipe.yml"
    file.write_text(text, encoding="utf-8")
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", schema, str(file)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_actionlint_takes_the_workflows(project: Project) -> None:
    beside = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    actionlint = shutil.which("actionlint", path=beside)
    if actionlint is None:
        pytest.skip("actionlint is missing")
    workflows = project.path / ".github" / "workflows"
    workflows.mkdir(parents=True)
    for number, heading in enumerate(("GitHub Actions", "Several machines")):
        (workflows / f"{number}.yml").write_text(recipe(heading), encoding="utf-8")
    subprocess.run(["git", "init", "-q"], cwd=project.path, check=True)
    done = subprocess.run([actionlint], cwd=project.path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
