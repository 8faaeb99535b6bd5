"""`conformance timers` as a person or a script calls it."""

import json
from pathlib import Path

import jsonschema
import pytest
from click.testing import CliRunner, Result

from conformance import contract
from conformance.cli import main
from conformance.explore.dialects import DIALECTS
from conformance.model import CLOSED, INACTIVE, TIMERS
from explore.doors import Settings, over_http, reads_with, reference

pytestmark = pytest.mark.slow


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def call(*arguments: str) -> Result:
    return CliRunner(env={"COLUMNS": "120"}).invoke(main, ["timers", *arguments])


def test_it_tells_the_dialect_and_writes_reports(tmp_path: Path) -> None:
    with over_http(Settings(reference())) as url:
        result = call("--target", url, "--report-dir", str(tmp_path / "reports"), "--png")
    assert result.exit_code == 0
    assert "reads durations as iso8601-1 does" in result.stdout
    made = json.loads((tmp_path / "reports" / "timers.json").read_text())
    jsonschema.validate(made, contract.load("timers.schema.json"), jsonschema.Draft202012Validator)
    assert {path.name for path in (tmp_path / "reports").iterdir()} == {
        "timers.json",
        "timers.svg",
        "timers.png",
    }
    # They hold what the target answered.
    assert {path.stat().st_mode & 0o777 for path in (tmp_path / "reports").iterdir()} == {0o600}


@pytest.mark.parametrize("how", ["flag", "environment", "file"])
def test_where_reports_go_is_a_setting_like_others(how: str, tmp_path: Path) -> None:
    """Flag over environment over `conformance.toml`; without any, nothing is written."""
    (tmp_path / "conformance.toml").write_text('report-dir = "of-the-file"\nmax-requests = 60\n')
    environ = {"CONFORMANCE_REPORT_DIR": "of-the-environment"} if how != "file" else {}
    flags = ["--report-dir", "of-the-flag"] if how == "flag" else []
    with over_http(Settings(reference())) as url:
        CliRunner(env=environ).invoke(main, ["timers", "--target", url, *flags])
    assert [path.parent.name for path in tmp_path.rglob("timers.json")] == [f"of-the-{how}"]


def test_json_is_all_of_the_standard_output() -> None:
    with over_http(Settings(reference())) as url:
        result = call("--target", url, "--json")
    assert json.loads(result.stdout)["closed"]["dialect"]["name"] == "iso8601-1"


def test_without_a_target_it_explores_the_emulator() -> None:
    result = call()
    assert result.exit_code == 0
    assert result.stdout.count("reads durations as iso8601-1 does") == 2


def test_a_spent_budget_is_no_verdict_but_shows_what_was_learnt() -> None:
    with over_http(Settings(reference())) as url:
        result = call("--target", url, "--max-requests", "70")
    assert result.exit_code == 3
    assert "iso8601-1" in result.stdout
    assert "Incomplete" in result.stdout


def test_a_target_that_is_not_there_is_no_verdict() -> None:
    result = call("--target", "http://127.0.0.1:9")
    assert result.exit_code == 3
    assert "nothing was learnt" in result.stderr


@pytest.mark.parametrize(
    "arguments", [("--target", "ftp://x"), ("--max-requests", "no"), ("--png",)], ids=["url", "number", "png"]
)
def test_what_cannot_be_followed_is_a_usage_error(arguments: tuple[str, ...]) -> None:
    assert call(*arguments).exit_code == 2


@pytest.mark.parametrize(
    "at", ["conformance.settings.resolve", "conformance.explore.prober.Prober.read_settings"]
)
def test_an_interrupt_before_anything_was_changed_has_its_own_exit_status(
    at: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*arguments: object, **options: object) -> None:
        raise KeyboardInterrupt

    settings = Settings(reference())
    monkeypatch.setattr(at, interrupted)
    with over_http(settings) as url:
        assert call("--target", url).exit_code == 130
    assert set(settings.values.values()) == {None}


def test_a_timer_that_is_not_put_back_is_told_by_the_exit_status() -> None:
    class Stubborn(Settings):
        def answer(self, method: str, body: bytes) -> tuple[int, dict[str, object]]:
            status, document = super().answer(method, body)
            if len(self.history) > 300:
                self.values[CLOSED.attribute] = "PT10M"
            return status, document

    accepts = {each.slug: reads_with(DIALECTS[0], each.minimum) for each in TIMERS}
    settings = Stubborn(accepts, before={INACTIVE.slug: "PT24H", CLOSED.slug: "P3D"})
    with over_http(settings) as url:
        result = call("--target", url)
    assert result.exit_code == 4
    assert "default_closed_timer was 'P3D' and is 'PT10M' now" in result.stdout
