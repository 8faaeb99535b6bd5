"""The command as a user runs it: whatever is wrong, one clear line, the right exit code, no traceback."""

import json
import socket
import subprocess
from pathlib import Path

import hostile
import pytest
from command_line import (
    GOOD,
    REPORTS,
    SECRET,
    SID,
    clean_environment,
    conformance,
    free_port,
    refused,
    result,
)

from conformance.transport.credentials import THROWAWAY
from conformance.transport.embedded import Embedded

pytestmark = pytest.mark.slow


class TestRefusedBeforeTheFirstRequest:
    """Usage and configuration: exit 2, one line that says what to do."""

    @pytest.mark.parametrize(
        ("arguments", "says"),
        [
            (["--max-requests", "0"], "--max-requests: expected a whole number, 1 or more, got '0'"),
            (["--profile", "fast"], "--profile: expected one of quick, standard, thorough, got 'fast'"),
            (["--fail-on", "may"], "--fail-on: expected one of must, should, got 'may'"),
            (["--seed", "x"], "--seed: expected a whole number"),
            (["--timeout", "0"], "--timeout: expected seconds, above 0"),
            (["--only", "inactive-timer-sintax"], "did you mean inactive-timer-syntax?"),
            (["--only", "nothing-like-it-*"], "`conformance rules` lists them"),
            (["--only", "timer"], "did you mean timers?"),
            (["--app", "mine"], "--app: expected an application as package.module:name, got 'mine'"),
            (["--app", "nobody:app"], "no application nobody:app: No module named 'nobody'"),
            (
                ["--app", "a:b", "--target", "http://127.0.0.1:1"],
                "both a target and an application are named",
            ),
            (["http://127.0.0.1:1", "--target", "http://127.0.0.1:2"], "two targets, http://127.0.0.1:1 and"),
            (["--live"], "--live says nothing about the embedded emulator; add --target URL"),
            (
                ["--target", "http://127.0.0.1:1", "--ca-file", __file__],
                "--ca-file: expected a file of certificates",
            ),
            (["--target", "http://127.0.0.1:1/?a=b"], "the target URL holds a query or a fragment"),
            (
                ["--target", f"http://{SID}:{SECRET}@127.0.0.1:1"],
                "the target URL holds a user name or a password",
            ),
            (["--target", "ftp://127.0.0.1"], "is not an http:// or https:// URL"),
            (["--target", "http://127.0.0.1:99999"], "is not a URL"),
            (
                ["--target", "http://93.184.216.34"],
                "no credentials for 93.184.216.34: set TWILIO_ACCOUNT_SID",
            ),
            (["--known", "not-there.toml"], "--known: expected a file that is there"),
        ],
    )
    def test_a_flag_that_cannot_be_followed(self, tmp_path: Path, arguments: list[str], says: str) -> None:
        assert says in refused(conformance(tmp_path, "run", *arguments))

    def test_a_public_target_needs_live(self, tmp_path: Path) -> None:
        line = refused(conformance(tmp_path, "run", "--target", "http://93.184.216.34", **GOOD))
        assert "add --live" in line

    @pytest.mark.parametrize(
        ("text", "says"),
        [
            ('profil = "quick"', "conformance.toml: profil is not a setting; did you mean profile?"),
            ("seed = -1", "conformance.toml: seed: expected a whole number, 0 or more, got -1"),
            ('max-requests = "many"', "conformance.toml: max-requests: expected a whole number"),
            ("seed = ", "conformance.toml: not TOML"),
            (
                f'auth-token = "{SECRET}"',
                "conformance.toml: auth-token: credentials are read from the environment only",
            ),
            ("[run]\nseed = 1", "conformance.toml: run is not a setting"),
        ],
    )
    def test_a_malformed_settings_file_names_the_key(self, tmp_path: Path, text: str, says: str) -> None:
        (tmp_path / "conformance.toml").write_text(text)
        assert says in refused(conformance(tmp_path, "run"))

    def test_a_settings_file_that_cannot_be_read(self, tmp_path: Path) -> None:
        (tmp_path / "conformance.toml").mkdir()
        assert "conformance.toml: cannot be read" in refused(conformance(tmp_path, "run"))

    @pytest.mark.parametrize(
        ("environment", "says"),
        [
            ({"TWILIO_ACCOUNT_SID": SID}, "only one of TWILIO_ACCOUNT_SID and TWILIO_AUTH_TOKEN is set"),
            (
                {"TWILIO_ACCOUNT_SID": "me", "TWILIO_AUTH_TOKEN": SECRET},
                "TWILIO_ACCOUNT_SID is not an Account SID",
            ),
            (
                {**GOOD, "TWILIO_AUTH_TOKEN": SECRET + "\n"},
                "TWILIO_AUTH_TOKEN: the token holds a control character",
            ),
            ({**GOOD, "TWILIO_AUTH_TOKEN": SECRET + "\u20ac"}, "outside ISO 8859-1"),
            ({"TWILIO_API_KEY": "SK" + "0" * 32}, "only one of TWILIO_API_KEY and TWILIO_API_SECRET is set"),
            (
                {"CONFORMANCE_ACCOUNTS": SECRET},
                "CONFORMANCE_ACCOUNTS: entry 1 is not an Account SID, a colon and",
            ),
            ({"CONFORMANCE_PROFILE": "fast"}, "CONFORMANCE_PROFILE: expected one of"),
        ],
    )
    def test_credentials_that_cannot_be_sent(
        self, tmp_path: Path, environment: dict[str, str], says: str
    ) -> None:
        done = conformance(tmp_path, "run", "--target", "http://127.0.0.1:1", **environment)
        assert says in refused(done)

    def test_a_report_directory_that_cannot_be_written(self, tmp_path: Path) -> None:
        (tmp_path / "file").write_text("")
        line = refused(conformance(tmp_path, "run", "--report-dir", "file/inside"))
        assert "cannot write reports to file/inside" in line
        assert "--report-dir" in line

    def test_an_unknown_rule_to_explain(self, tmp_path: Path) -> None:
        assert "did you mean challenge?" in refused(conformance(tmp_path, "explain", "challange"))

    def test_an_unknown_fault_to_serve(self, tmp_path: Path) -> None:
        assert "no-such-fault" in refused(
            conformance(tmp_path, "serve", "--port", "0", "--fault", "no-such-fault")
        )

    def test_a_port_that_is_taken(self, tmp_path: Path) -> None:
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            refused(conformance(tmp_path, "serve", "--port", str(taken.getsockname()[1])))


def no_verdict(done: subprocess.CompletedProcess[str], where: Path) -> str:
    """The reason for which there was none; the reports are there, and say of no rule that it holds."""
    assert done.returncode == 3, done.stdout + done.stderr
    document = result(where)
    assert document["verdict"] == "error"
    assert document["exit_code"] == 3
    assert document["findings"] == []
    rules = document["rules"]
    assert isinstance(rules, list)
    assert {rule["verdict"] for rule in rules} == {"not-run"}
    assert {path.name for path in (where / "conformance-report").iterdir()} >= REPORTS
    reason = document["stopped"]
    assert isinstance(reason, str)
    assert any(reason[:60] in line for line in done.stdout.splitlines())
    return reason


class TestNoVerdict:
    """The target cannot be judged: exit 3, and a report that says why."""

    def test_nothing_listens(self, tmp_path: Path) -> None:
        with free_port() as port:
            done = conformance(tmp_path, "run", "--target", f"http://127.0.0.1:{port}")
        assert "cannot be reached" in no_verdict(done, tmp_path)
        assert "--wait 60 waits for one that is being started" in done.stdout

    @pytest.mark.parametrize("play", ["banner", "silent", "empty-reply", "reset", "tls-alert"])
    def test_what_listens_does_not_speak_http(self, tmp_path: Path, play: str) -> None:
        with hostile.Hostile(play) as server:
            done = conformance(tmp_path, "run", "--target", server.url, "--timeout", "0.3")
        assert "no answer over HTTP" in no_verdict(done, tmp_path)

    def test_tls_that_fails(self, tmp_path: Path) -> None:
        with hostile.Hostile("good") as server:
            url = server.url.replace("http:", "https:")
            done = conformance(tmp_path, "run", "--target", url, "--timeout", "1")
        reason = no_verdict(done, tmp_path)
        assert "https://127.0.0.1" in reason
        assert "if the port serves plain HTTP, write http://" in reason

    @pytest.mark.parametrize("token", [SECRET, f"{SECRET}:%\u00fc '\"$`\\ !*"])
    def test_credentials_that_are_refused_whatever_they_hold(
        self, tmp_path: Path, emulator_url: str, token: str
    ) -> None:
        done = conformance(tmp_path, "run", "--target", emulator_url, **{**GOOD, "TWILIO_AUTH_TOKEN": token})
        assert f"refused the credentials of {SID}" in no_verdict(done, tmp_path)
        for report in (tmp_path / "conformance-report").iterdir():
            assert SECRET not in report.read_text()

    def test_a_good_report_is_not_overwritten(self, tmp_path: Path, emulator_url: str) -> None:
        conformance(tmp_path, "run", emulator_url, "--only", "media-type", "--profile", "quick")
        kept = (tmp_path / "conformance-report" / "result.json").read_bytes()
        with free_port() as port:
            done = conformance(tmp_path, "run", f"http://127.0.0.1:{port}", "--only", "media-type")
        assert done.returncode == 3
        assert "so it stays; see conformance-report/without-verdict" in done.stdout
        assert (tmp_path / "conformance-report" / "result.json").read_bytes() == kept
        other = json.loads((tmp_path / "conformance-report" / "without-verdict" / "result.json").read_text())
        assert (other["verdict"], other["exit_code"]) == ("error", 3)

    def test_a_dead_proxy_is_blamed_and_not_the_target(self, tmp_path: Path, emulator_url: str) -> None:
        with free_port() as port:
            done = conformance(tmp_path, "run", emulator_url, "--proxy", f"http://127.0.0.1:{port}")
        assert f"the proxy 127.0.0.1:{port} does not let the run through" in no_verdict(done, tmp_path)

    def test_a_target_that_is_always_busy(self, tmp_path: Path) -> None:
        with hostile.Hostile("rate-limited") as server:
            done = conformance(tmp_path, "run", "--target", server.url)
        assert "429" in no_verdict(done, tmp_path)


class TestURL:
    def test_a_path_is_kept_and_the_resource_s_own_path_is_not_doubled(self, tmp_path: Path) -> None:
        with hostile.Hostile("good") as server:
            for path, seen in (
                ("/conversations", "/conversations/v1/Configuration"),
                ("/v1/Configuration", "/v1/Configuration"),
            ):
                conformance(
                    tmp_path,
                    "run",
                    "--target",
                    server.url + path,
                    "--only",
                    "media-type",
                    "--max-requests",
                    "3",
                )
                assert server.received[-1].split(b" ")[1].decode() == seen


def test_a_resource_that_is_not_there_is_unimplemented_with_one_finding_and_exit_1(
    tmp_path: Path, emulator_url: str
) -> None:
    done = conformance(tmp_path, "run", "--target", emulator_url + "/v1")
    assert done.returncode == 1
    document = result(tmp_path)
    stopped = str(document["stopped"])
    assert stopped.endswith("; the run adds /v1/Configuration to the target: leave out its /v1")
    findings = document["findings"]
    assert isinstance(findings, list)
    assert [finding["rule"] for finding in findings] == ["implemented"]
    assert document["verdict"] == "unimplemented"
    assert "MUST implemented" in done.stdout


def test_without_a_target_the_reference_emulator_is_judged_and_holds(tmp_path: Path) -> None:
    done = conformance(tmp_path, "run", "--profile", "quick")
    assert done.returncode == 0, done.stdout
    assert result(tmp_path)["verdict"] == "conformant"
    assert done.stdout.splitlines()[-1].startswith("MUST ")


def test_a_run_leaves_its_report_and_nothing_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HYPOTHESIS_STORAGE_DIRECTORY", raising=False)  # a command in this process has set it
    home = tmp_path / "home"
    stands = tmp_path / "stands"
    stands.mkdir()
    done = conformance(stands, "run", "--only", "openapi-*", XDG_CACHE_HOME=str(home))
    assert done.returncode == 0
    assert [each.name for each in stands.iterdir()] == ["conformance-report"]
    assert list(home.rglob("charmap.json.gz"))


def test_an_application_is_judged_by_its_name(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(
        "from conformance.emulator import create_app\n"
        "from conformance.transport.credentials import THROWAWAY\n"
        "app = create_app(accounts={each.sid: each.token for each in THROWAWAY})\n"
    )
    arguments = ["--profile", "quick", "--only", "media-type", "--only", "framing"]
    done = conformance(tmp_path, "run", "--app", "mine:app", *arguments)
    assert done.returncode == 0, done.stdout + done.stderr
    document = result(tmp_path)
    assert document["settings"]["app"] == "mine:app"  # type: ignore[index]  # an object
    reasons = {rule["id"]: rule["reason"] for rule in document["rules"]}  # type: ignore[attr-defined]
    assert reasons["framing"] == "needs a connection: a server makes it, and the target is an application"
    assert "serve mine:app on port 8000 for the curl lines" in done.stdout


def test_json_is_the_whole_of_the_standard_output(tmp_path: Path, emulator_url: str) -> None:
    done = conformance(tmp_path, "run", "--target", emulator_url, "--only", "media-type", "--json")
    assert json.loads(done.stdout)["exit_code"] == done.returncode == 0


def test_a_curl_line_reproduces_the_deviation_when_pasted(tmp_path: Path) -> None:
    with Embedded(THROWAWAY, faults=["inactive-timer-minimum-unchecked"]) as embedded:
        done = conformance(
            tmp_path,
            "run",
            "--target",
            embedded.url(),
            "--only",
            "inactive-timer-minimum",
            "--profile",
            "quick",
        )
        assert done.returncode == 1, done.stdout + done.stderr
        findings = result(tmp_path)["findings"]
        assert isinstance(findings, list)
        for finding in findings:
            shown = subprocess.run(
                ["sh", "-c", finding["curl"]],
                env=clean_environment(),
                capture_output=True,
                text=True,
                timeout=20,
                check=False,
            )
            assert f"{finding['exchanges'][-1]['response']['status']} " in shown.stdout.splitlines()[0]
            assert finding["curl"] in done.stdout or finding is not findings[0]


def test_rules_lists_every_rule_and_explain_tells_each(tmp_path: Path) -> None:
    listed = json.loads(conformance(tmp_path, "rules", "--json").stdout)
    assert len(listed) > 70
    assert all(rule["id"] and rule["statement"] and rule["source"] and rule["classes"] for rule in listed)
    told = conformance(tmp_path, "explain", "inactive-timer-minimum").stdout
    assert "DefaultInactiveTimer=PT59S" in told
    assert "curl" in told
