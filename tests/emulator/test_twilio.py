"""The vendor's own Python client reads and updates through the emulator."""

from collections.abc import Iterator

import pytest
from twilio.base.exceptions import TwilioRestException
from twilio.rest import Client

from .serving import ACCOUNTS, running

pytestmark = pytest.mark.slow

CHAT, MESSAGING = "IS" + "0aF" * 10 + "00", "MG" + "1bE" * 10 + "11"


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with running() as emulator:
        yield emulator.url


@pytest.fixture
def client(url: str, monkeypatch: pytest.MonkeyPatch) -> Client:
    for name in ("TWILIO_REGION", "TWILIO_EDGE", "HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"):
        monkeypatch.delenv(name, raising=False)
    client = Client(*ACCOUNTS[0])
    client.conversations.base_url = url
    return client


def test_it_updates_and_fetches(client: Client) -> None:
    updated = client.conversations.v1.configuration().update(
        default_inactive_timer="PT1M",
        default_closed_timer="PT10M",
        default_chat_service_sid=CHAT,
        default_messaging_service_sid=MESSAGING,
    )
    fetched = client.conversations.v1.configuration().fetch()
    for shown in (updated, fetched):
        assert shown.account_sid == ACCOUNTS[0][0]
        assert (shown.default_inactive_timer, shown.default_closed_timer) == ("PT1M", "PT10M")
        assert (shown.default_chat_service_sid, shown.default_messaging_service_sid) == (CHAT, MESSAGING)
        assert shown.url.endswith("/v1/Configuration")
        assert CHAT in shown.links["service"]


def test_it_updates_one_attribute_and_none(client: Client) -> None:
    configuration = client.conversations.v1.configuration()
    configuration.update(default_closed_timer="P1D")
    assert configuration.update(default_inactive_timer="PT0S").default_closed_timer == "P1D"
    assert configuration.update().default_inactive_timer == "PT0S"


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        ({"default_inactive_timer": "PT59S"}, 50375),
        ({"default_closed_timer": "PT5M"}, 50376),
        ({"default_inactive_timer": "banana"}, 50379),
        ({"default_closed_timer": ""}, 50380),
        ({"default_messaging_service_sid": CHAT}, 50341),
    ],
)
def test_it_raises_the_vendors_errors(client: Client, arguments: dict[str, str], code: int) -> None:
    with pytest.raises(TwilioRestException) as refusal:
        client.conversations.v1.configuration().update(**arguments)
    assert (refusal.value.status, refusal.value.code) == (400, code)


def test_it_is_told_that_credentials_are_wrong(url: str, client: Client) -> None:
    stranger = Client(ACCOUNTS[0][0], "wrong")
    stranger.conversations.base_url = url
    with pytest.raises(TwilioRestException) as refusal:
        stranger.conversations.v1.configuration().fetch()
    assert (refusal.value.status, refusal.value.code) == (401, 20003)
