"""Settings: where they come from, and one clear line for each way to get them wrong."""

from collections.abc import Mapping
from pathlib import Path

import certifi
import pytest

from conformance import settings as configuration
from conformance.exceptions import ConfigurationError
from conformance.model import Level
from conformance.settings import RunSettings, resolve
from conformance.transport.credentials import THROWAWAY, Account

SID = "AC" + "0123456789abcdef" * 2
OTHER = "AC" + "fedcba9876543210" * 2
KEY = "SK" + "0123456789abcdef" * 2
TOKEN = "the-token-of-the-first"
LOCAL = "http://127.0.0.1:4007"
CREDENTIALS = {"TWILIO_ACCOUNT_SID": SID, "TWILIO_AUTH_TOKEN": TOKEN}


@pytest.fixture
def toml(tmp_path: Path) -> Path:
    """Where the settings file would be."""
    return tmp_path / "conformance.toml"


def refusal(
    toml: Path, flags: Mapping[str, object] | None = None, environ: Mapping[str, str] | None = None
) -> str:
    """The message with which settings are refused; it is one line and holds no token."""
    with pytest.raises(ConfigurationError) as caught:
        resolve(flags or {}, environ or {}, toml)
    message = str(caught.value)
    assert "\n" not in message
    assert TOKEN not in message
    return message


class TestSources:
    """A flag goes before the environment, and the environment before the file."""

    def test_with_nothing_given_the_defaults_hold(self, toml: Path) -> None:
        assert resolve({}, {}, toml) == RunSettings(
            target=None,
            app=None,
            profile="standard",
            only=(),
            fail_on=Level.MUST,
            sdk=False,
            seed=0,
            shard=(1, 1),
            max_requests=3000,
            max_time=600.0,
            report_dir=Path("conformance-report"),
            known=None,
            examples=None,
            settle=0.0,
            ca_file=None,
            proxy=None,
            rate=None,
            timeout=10.0,
            wait=0.0,
            live=False,
            i_own=(),
            accept_unrestorable=False,
            state_dir=None,
            mask_accounts=False,
            chat_service_sid=None,
            messaging_service_sid=None,
            accounts=THROWAWAY,
        )

    def test_a_run_with_a_limit_takes_10_minutes_beside_what_the_rate_takes(self, toml: Path) -> None:
        def seconds(**flags: object) -> float | None:
            return resolve(flags, {}, toml).max_time

        assert seconds() == seconds(profile="quick") == 600
        assert seconds(profile="quick", rate="2") == 600 + 300 / 2
        assert seconds(profile="thorough") is None
        assert seconds(profile="thorough", max_requests="100") == 600
        assert seconds(max_time="30", rate="1") == 30

    def test_paths_in_the_file_are_relative_to_it(self, toml: Path) -> None:
        toml.write_text("report-dir = 'there'\nstate-dir = '/kept'\n")
        settings = resolve({}, {}, toml)
        assert (settings.report_dir, settings.state_dir) == (toml.parent / "there", Path("/kept"))

    def test_flag_before_environment_before_file(self, toml: Path) -> None:
        toml.write_text("seed = 1\nsettle = 1\nrate = 1.5\nonly = ['timer-*', 'sid-*']\nlive = true\n")
        settings = resolve(
            {"seed": 3, "profile": None, "live": False, "only": ()},
            {"CONFORMANCE_SEED": "2", "CONFORMANCE_SETTLE": "2", "CONFORMANCE_PROFILE": ""},
            toml,
        )
        assert (settings.seed, settings.settle, settings.rate) == (3, 2.0, 1.5)
        assert settings.only == ("timer-*", "sid-*")
        assert settings.live

    def test_every_setting_can_be_given_in_every_source(self, toml: Path, tmp_path: Path) -> None:
        known = tmp_path / "known.toml"
        known.touch()
        given = {
            "target": LOCAL,
            "profile": "quick",
            "only": "a,b-*",
            "fail_on": "should",
            "seed": "7",
            "max_requests": "8",
            "report_dir": str(toml.parent / "there"),
            "known": str(known),
            "settle": "0.5",
            "proxy": "http://127.0.0.1:8080",
            "rate": "9",
            "timeout": "3",
            "live": "yes",
            "i_own": ",".join(each.user for each in THROWAWAY),
            "accept_unrestorable": "true",
            "state_dir": str(toml.parent / "kept"),
            "mask_accounts": "yes",
            "chat_service_sid": "IS" + "A" * 32,
            "messaging_service_sid": "MG" + "9" * 32,
        }
        from_flags = resolve(given, {}, toml)
        from_environment = resolve(
            {}, {f"CONFORMANCE_{name.upper()}": text for name, text in given.items()}, toml
        )
        toml.write_text("".join(f"{name.replace('_', '-')} = {text!r}\n" for name, text in given.items()))
        assert from_flags == from_environment == resolve({}, {}, toml)
        assert from_flags.only == ("a", "b-*")
        assert from_flags.fail_on is Level.SHOULD
        assert from_flags.max_requests == 8
        assert from_flags.known == known

    @pytest.mark.parametrize(
        ("profile", "requests"), [("quick", 300), ("standard", 3000), ("thorough", None)]
    )
    def test_a_profile_brings_its_budget(self, toml: Path, profile: str, requests: int | None) -> None:
        assert resolve({"profile": profile}, {}, toml).max_requests == requests
        assert resolve({"profile": profile, "max_requests": 5}, {}, toml).max_requests == 5

    def test_no_secret_is_in_the_repr(self, toml: Path) -> None:
        flags = {"target": LOCAL, "proxy": f"http://me:{TOKEN}@127.0.0.1:8080"}
        settings = resolve(flags, CREDENTIALS, toml)
        assert TOKEN not in repr((settings, settings.for_target(LOCAL)))

    def test_the_target_gets_its_part(self, toml: Path) -> None:
        flags = {"target": LOCAL, "rate": 5.0, "timeout": 2.0, "seed": 9, "max_requests": 11}
        settings = resolve(flags, CREDENTIALS, toml).for_target(LOCAL)
        assert (settings.url, settings.rate, settings.timeout, settings.seed) == (LOCAL, 5.0, 2.0, 9)
        assert settings.max_requests == 11
        assert settings.accounts == (Account(SID, TOKEN),)


class TestValues:
    """A value that cannot be meant is refused by the name under which it was given."""

    @pytest.mark.parametrize(
        ("name", "value", "expected"),
        [
            ("max_requests", 0, "--max-requests: expected a whole number, 1 or more, got 0"),
            ("max_requests", -3, "1 or more, got -3"),
            ("max_requests", True, "got True"),
            ("seed", "1.5", "--seed: expected a whole number, 0 or more, got '1.5'"),
            ("seed", "9" * 5000, "--seed"),
            ("profile", "slow", "--profile: expected one of quick, standard, thorough, got 'slow'"),
            ("fail_on", "may", "--fail-on: expected one of must, should"),
            ("settle", -1, "--settle: expected seconds, 0 or more"),
            ("settle", "nan", "--settle"),
            ("rate", 0, "--rate: expected requests per second, above 0"),
            ("timeout", "inf", "--timeout"),
            ("shard", "3/2", "--shard: expected K/N, such as 2/3 for the second of three shares, got '3/2'"),
            ("shard", "2", "--shard: expected K/N"),
            ("i_own", "AC1", "--i-own: expected Account SIDs, each AC and 32 hexadecimal digits, got 'AC1'"),
            ("live", "maybe", "--live: expected true or false"),
            ("known", "no/such/file", "--known: expected a file that is there, got 'no/such/file'"),
            ("ca_file", "no/such/file", "--ca-file: expected a file of certificates in PEM"),
            ("ca_file", __file__, "--ca-file: expected a file of certificates in PEM"),
            (
                "chat_service_sid",
                "MG" + "a" * 32,
                "--chat-service-sid: expected IS and 32 hexadecimal digits",
            ),
            ("messaging_service_sid", "MG" + "a" * 32 + "\n", "--messaging-service-sid: expected MG and 32"),
        ],
    )
    def test_a_flag(self, toml: Path, name: str, value: object, expected: str) -> None:
        assert expected in refusal(toml, {"target": LOCAL, name: value})

    def test_an_application(self, toml: Path) -> None:
        assert "--app: expected an application as package.module:name, got 3" in refusal(toml, {"app": 3})

    def test_the_account_of_an_api_key_cannot_be_masked(self, toml: Path) -> None:
        key = {"TWILIO_API_KEY": f"SK{'0' * 32}", "TWILIO_API_SECRET": "s" * 32}
        message = refusal(toml, {"target": LOCAL, "mask_accounts": True}, key)
        assert message == "to mask the account of an API key, set TWILIO_ACCOUNT_SID too"

    def test_a_variable(self, toml: Path) -> None:
        message = refusal(toml, environ={"CONFORMANCE_MAX_REQUESTS": "many"})
        assert message == "CONFORMANCE_MAX_REQUESTS: expected a whole number, 1 or more, got 'many'"

    def test_a_mistyped_variable(self, toml: Path) -> None:
        message = refusal(toml, environ={"CONFORMANCE_PROFLE": "quick"})
        assert message == "CONFORMANCE_PROFLE is not a setting; did you mean CONFORMANCE_PROFILE?"

    def test_a_variable_that_is_no_setting_is_named(self, toml: Path) -> None:
        (notice,) = resolve({}, {"CONFORMANCE_ZZZ": "x", "CONFORMANCE_ACCOUNTS": ""}, toml).notices
        assert notice.startswith(
            "CONFORMANCE_ZZZ is not a setting, and is ignored; there are: CONFORMANCE_ACC"
        )

    def test_a_setting_that_there_is_not(self, toml: Path) -> None:
        assert refusal(toml, {"profle": "quick"}) == "profle is not a setting; did you mean profile?"

    def test_a_proxy_is_not_repeated_since_it_may_hold_a_password(self, toml: Path) -> None:
        message = refusal(toml, {"target": LOCAL, "proxy": f"ftp://me:{TOKEN}@proxy"})
        assert message == "--proxy: expected an http:// or https:// URL of a proxy"

    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            ("seed = 1\nrate =\n", "not TOML: Invalid value (at line 2, column 7)"),
            ("max-request = 5", "max-request is not a setting; did you mean max-requests?"),
            ("max_requests = 5", "max_requests is not a setting; did you mean max-requests?"),
            ("zzz = 5", "zzz is not a setting; there are: target, app, profile"),
            ("[run]\nseed = 1", "run is not a setting"),
            ("seed = '1x'", "seed: expected a whole number, 0 or more, got '1x'"),
            ("live = 1", "live: expected true or false, got 1"),
            ("only = 3", "only: expected a list of rule ids, got 3"),
            ("only = [3]", "only: expected a list of rule ids"),
            ("auth-token = 'x'", "credentials are read from the environment only"),
            ("accounts = []", "credentials are read from the environment only"),
        ],
    )
    def test_the_file(self, toml: Path, text: str, expected: str) -> None:
        toml.write_text(text)
        message = refusal(toml)
        assert message.startswith(str(toml))
        assert expected in message

    def test_a_file_that_is_not_text(self, toml: Path) -> None:
        toml.write_bytes(b"seed = \xff")
        assert "not TOML" in refusal(toml)

    def test_a_file_that_cannot_be_read(self, toml: Path) -> None:
        toml.mkdir()
        assert "cannot be read" in refusal(toml)


class TestTarget:
    """The target's URL is a base URL, in one spelling."""

    @pytest.mark.parametrize(
        ("given", "url"),
        [
            (LOCAL, LOCAL),
            (LOCAL + "/", LOCAL),
            (LOCAL + "/conversations/", LOCAL + "/conversations"),
            (LOCAL + "/v1/Configuration", LOCAL),
            (LOCAL + "/x/v1/Configuration/", LOCAL + "/x"),
            ("HTTP://LOCALHOST:4007", "http://localhost:4007"),
            ("http://[::1]:4007", "http://[::1]:4007"),
            ("https://localhost", "https://localhost"),
            ("http://bücher.localhost", "http://xn--bcher-kva.localhost"),
        ],
    )
    def test_a_base_url_is_accepted(self, toml: Path, given: str, url: str) -> None:
        assert resolve({"target": given}, CREDENTIALS, toml).target == url

    @pytest.mark.parametrize(
        ("url", "expected"),
        [
            ("localhost:4007", "is not an http:// or https:// URL: write it like http://localhost:4007"),
            ("/v1", "is not an http:// or https:// URL"),
            ("ftp://localhost", "is not an http:// or https:// URL"),
            ("http://", "names no host"),
            ("http://:4007", "names no host"),
            ("http://localhost:0", "names no port"),
            ("http://localhost:99999", "is not a URL (Port out of range 0-65535)"),
            ("http://localhost:port", "is not a URL"),
            ("http://[::1", "is not a URL"),
            ("https://conversations%2etwilio.com", "is not a URL (no host has such a name)"),
            ("https://conversations.twilio.com%00", "is not a URL (no host has such a name)"),
            ("https://conversations.twilio.com\\", "is not a URL (no host has such a name)"),
            ("http://local host", "%20"),
            ("http://localhost/a b", "%20"),
            ("http://localhost/ä", "%20"),
            ("http://localhost/\n", "%20"),
            ("http://localhost\n", "%20"),
            ("http://localhost?a=b", "a query or a fragment"),
            ("http://localhost/#", "a query or a fragment"),
            (f"http://{SID}:{TOKEN}@localhost", "leave it out, set TWILIO_ACCOUNT_SID and TWILIO_AUTH_TOKEN"),
            (f"{SID}:{TOKEN}@localhost", "leave it out, set TWILIO_ACCOUNT_SID and TWILIO_AUTH_TOKEN"),
            ("http://" + "x" * 70 + ".invalid", "is not a URL"),
        ],
    )
    def test_anything_else_is_refused(self, toml: Path, url: str, expected: str) -> None:
        assert expected in refusal(toml, {"target": url})

    def test_a_public_address_needs_live(self, toml: Path) -> None:
        assert "add --live" in refusal(toml, {"target": "https://8.8.8.8"}, CREDENTIALS)
        assert resolve({"target": "https://8.8.8.8", "live": True}, CREDENTIALS, toml).live

    def test_a_private_address_does_not(self, toml: Path) -> None:
        assert resolve({"target": "http://10.0.0.1"}, CREDENTIALS, toml).target == "http://10.0.0.1"

    def test_a_name_that_only_a_proxy_may_know_needs_live(self, toml: Path) -> None:
        flags = {"target": "http://target.invalid", "proxy": "http://127.0.0.1:8080"}
        assert "add --live" in refusal(toml, flags, CREDENTIALS)

    def test_every_address_counts(self, toml: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(configuration, "addresses_of", lambda url: ("10.0.0.1", "8.8.8.8"))
        assert "add --live" in refusal(toml, {"target": "https://two.test"}, CREDENTIALS)

    def test_the_addresses_that_were_checked_are_those_that_are_connected_to(
        self, toml: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(configuration, "addresses_of", lambda url: ("10.0.0.1", "10.0.0.2"))
        settings = resolve({"target": "https://two.test"}, CREDENTIALS, toml)
        assert settings.for_target("https://two.test").addresses == ("10.0.0.1", "10.0.0.2")
        assert settings.for_target("http://127.0.0.1:1").addresses is None

    @pytest.mark.parametrize(
        ("flags", "expected"),
        [
            ({"live": True}, "--live says nothing about the embedded emulator; add --target URL"),
            ({"proxy": "http://127.0.0.1:1"}, "--proxy says nothing about the embedded emulator"),
            ({"ca_file": certifi.where()}, "--ca-file says nothing about the embedded emulator"),
            ({"ca_file": certifi.where(), "target": LOCAL}, "--ca-file is for https:// targets"),
        ],
    )
    def test_flags_that_contradict_each_other_are_refused(
        self, toml: Path, flags: Mapping[str, object], expected: str
    ) -> None:
        assert expected in refusal(toml, flags)

    def test_the_same_settings_in_the_environment_may_be_meant_for_other_runs(self, toml: Path) -> None:
        assert resolve({}, {"CONFORMANCE_LIVE": "1"}, toml).target is None


class TestVendor:
    """The vendor's own service takes more than --live, and gets less."""

    LIVE: Mapping[str, object] = {"target": "https://conversations.twilio.com", "live": True}

    @pytest.fixture(autouse=True)
    def _resolved(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(configuration, "addresses_of", lambda url: ("3.3.3.3",))

    def test_the_account_has_to_be_repeated(self, toml: Path) -> None:
        assert "add --i-own" in refusal(toml, self.LIVE, CREDENTIALS)
        assert "add --i-own" in refusal(toml, {**self.LIVE, "i_own": (OTHER,)}, CREDENTIALS)
        assert resolve({**self.LIVE, "i_own": (SID,)}, CREDENTIALS, toml).live

    def test_every_account_has_to_be_repeated(self, toml: Path) -> None:
        environ = {**CREDENTIALS, "CONFORMANCE_ACCOUNTS": f"{OTHER}:{TOKEN}"}
        assert OTHER in refusal(toml, {**self.LIVE, "i_own": (SID,)}, environ)
        assert resolve({**self.LIVE, "i_own": (SID, OTHER)}, environ, toml).live

    def test_an_api_key_needs_its_account(self, toml: Path) -> None:
        environ = {"TWILIO_API_KEY": KEY, "TWILIO_API_SECRET": TOKEN}
        assert "set TWILIO_ACCOUNT_SID too" in refusal(toml, {**self.LIVE, "i_own": (SID,)}, environ)

    @pytest.mark.parametrize(
        "host",
        [
            "twilio.com",
            "a.b.twilio.com",
            "CONVERSATIONS.TWILIO.COM",
            "conversations.twilio.com.",
            "conversations\u3002twilio\uff0ecom\uff61",
            "\uff43onversations.\uff54\uff57ilio.com",
            "conversations.twi\u00adlio.com",
            "conversations.twilio.com:443",
        ],
    )
    @pytest.mark.parametrize("address", ["3.3.3.3", "10.0.0.1", "127.0.0.1", "169.254.1.1", None])
    def test_so_do_all_its_names_whatever_their_address(
        self, toml: Path, monkeypatch: pytest.MonkeyPatch, host: str, address: str | None
    ) -> None:
        monkeypatch.setattr(configuration, "addresses_of", lambda url: (address,) if address else ())
        target = {"target": f"https://{host}"}
        assert "add --live" in refusal(toml, target, CREDENTIALS)
        assert "add --i-own" in refusal(toml, {**self.LIVE, **target}, CREDENTIALS)
        settings = resolve({**self.LIVE, **target, "i_own": (SID,)}, CREDENTIALS, toml)
        assert (settings.profile, settings.rate) == ("quick", 1.0)
        clear = {**self.LIVE, "i_own": (SID,), "target": f"http://{host}"}
        assert "write https://" in refusal(toml, clear, CREDENTIALS)

    @pytest.mark.parametrize("host", ["nottwilio.com", "twilio.com.test"])
    def test_others_do_not(self, toml: Path, host: str) -> None:
        settings = resolve({**self.LIVE, "target": f"https://{host}"}, CREDENTIALS, toml)
        assert (settings.profile, settings.rate) == ("standard", None)

    def test_it_is_asked_little_and_slowly_unless_told_otherwise(self, toml: Path) -> None:
        flags = {**self.LIVE, "i_own": (SID,)}
        settings = resolve(flags, CREDENTIALS, toml)
        assert (settings.profile, settings.rate, settings.max_requests) == ("quick", 1.0, 300)
        settings = resolve({**flags, "profile": "standard", "rate": 5}, CREDENTIALS, toml)
        assert (settings.profile, settings.rate, settings.max_requests) == ("standard", 5.0, 3000)

    def test_it_is_never_asked_without_end(self, toml: Path) -> None:
        flags = {**self.LIVE, "i_own": (SID,), "profile": "thorough"}
        assert "add --max-requests" in refusal(toml, flags, CREDENTIALS)
        assert resolve({**flags, "max_requests": 9000}, CREDENTIALS, toml).max_requests == 9000


class TestCredentials:
    """Credentials come from the environment, in pairs, one account for each SID."""

    def accounts(self, toml: Path, environ: Mapping[str, str]) -> tuple[Account, ...]:
        return resolve({"target": LOCAL}, environ, toml).accounts

    def test_account_sid_and_token(self, toml: Path) -> None:
        assert self.accounts(toml, CREDENTIALS) == (Account(SID, TOKEN),)

    def test_an_api_key_with_and_without_its_account(self, toml: Path) -> None:
        key = {"TWILIO_API_KEY": KEY, "TWILIO_API_SECRET": "secret"}
        assert self.accounts(toml, key) == (Account(None, "secret", KEY),)
        assert self.accounts(toml, key | CREDENTIALS) == (Account(SID, "secret", KEY),)
        assert self.accounts(toml, key | {"TWILIO_ACCOUNT_SID": SID}) == (Account(SID, "secret", KEY),)

    def test_more_accounts_are_joined_by_sid(self, toml: Path) -> None:
        more = {"CONFORMANCE_ACCOUNTS": f"{OTHER}:b:c, {SID}:another,"}
        assert self.accounts(toml, more) == (Account(OTHER, "b:c"), Account(SID, "another"))
        assert self.accounts(toml, CREDENTIALS | more) == (Account(SID, TOKEN), Account(OTHER, "b:c"))

    def test_empty_means_none(self, toml: Path) -> None:
        assert self.accounts(toml, CREDENTIALS | {"CONFORMANCE_ACCOUNTS": ""}) == (Account(SID, TOKEN),)

    def test_on_loopback_throw_away_ones_are_used_and_a_line_says_so(self, toml: Path) -> None:
        settings = resolve({"target": LOCAL}, {"TWILIO_AUTH_TOKEN": ""}, toml)
        assert settings.accounts == THROWAWAY
        assert settings.notices == (
            "no credentials are set: the target is on loopback, so throw-away ones are sent",
        )

    def test_elsewhere_they_are_needed(self, toml: Path) -> None:
        message = refusal(toml, {"target": "http://10.0.0.1"})
        assert message.startswith("no credentials for 10.0.0.1: set TWILIO_ACCOUNT_SID and TWILIO_AUTH_TOKEN")

    def test_the_embedded_emulator_gets_none_that_are_real(self, toml: Path) -> None:
        assert resolve({}, CREDENTIALS, toml).accounts == THROWAWAY

    @pytest.mark.parametrize(
        ("environ", "expected"),
        [
            ({"TWILIO_ACCOUNT_SID": SID}, "only one of TWILIO_ACCOUNT_SID and TWILIO_AUTH_TOKEN is set"),
            ({"TWILIO_AUTH_TOKEN": TOKEN}, "only one of TWILIO_ACCOUNT_SID and TWILIO_AUTH_TOKEN is set"),
            ({"TWILIO_API_KEY": KEY}, "only one of TWILIO_API_KEY and TWILIO_API_SECRET is set"),
            ({"TWILIO_API_SECRET": TOKEN}, "only one of TWILIO_API_KEY and TWILIO_API_SECRET is set"),
            (
                {"TWILIO_ACCOUNT_SID": TOKEN, "TWILIO_AUTH_TOKEN": SID},
                "TWILIO_ACCOUNT_SID is not an Account SID",
            ),
            (
                {"TWILIO_ACCOUNT_SID": KEY, "TWILIO_AUTH_TOKEN": TOKEN},
                "set TWILIO_API_KEY and TWILIO_API_SECRET",
            ),
            ({"TWILIO_API_KEY": TOKEN, "TWILIO_API_SECRET": KEY}, "TWILIO_API_KEY is not an API key"),
            (
                CREDENTIALS | {"TWILIO_AUTH_TOKEN": TOKEN + "\n"},
                "TWILIO_AUTH_TOKEN: the token holds a control",
            ),
            (CREDENTIALS | {"TWILIO_AUTH_TOKEN": TOKEN + "\u2026"}, "a character outside ISO 8859-1"),
            ({"CONFORMANCE_ACCOUNTS": f"{SID}:{TOKEN},{TOKEN}"}, "CONFORMANCE_ACCOUNTS: entry 2 is not"),
            ({"CONFORMANCE_ACCOUNTS": f"{TOKEN}:{SID}"}, "CONFORMANCE_ACCOUNTS: entry 1 is not"),
            ({"CONFORMANCE_ACCOUNTS": f"{SID}:"}, "CONFORMANCE_ACCOUNTS: entry 1 is not"),
            ({"CONFORMANCE_ACCOUNTS": f"{SID}:{TOKEN}\x00"}, "entry 1: the token holds a control character"),
        ],
    )
    def test_what_is_malformed_is_refused_without_repeating_a_token(
        self, toml: Path, environ: Mapping[str, str], expected: str
    ) -> None:
        assert expected in refusal(toml, {"target": LOCAL}, environ)
