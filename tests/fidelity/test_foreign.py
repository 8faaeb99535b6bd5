"""HTTP archives and cassettes as references."""

import json
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest
from fakes import Resource

from conformance.exceptions import RecordingError
from conformance.fidelity.ends import read
from conformance.fidelity.foreign import read as read_foreign
from conformance.fidelity.recording import Recording
from conformance.fidelity.running import run
from fidelity.files import cassette, har, recording, short
from fidelity.played import player

FILES: dict[str, Callable[[Recording], str]] = {
    "HAR": lambda of: json.dumps(har(of)),
    "VCR.py": cassette,
    "schemathesis": lambda of: cassette(of, "http_interactions"),
}


def file_of(kind: str, answering: Resource) -> Recording:
    """A file of some kind, read."""
    return read_foreign(FILES[kind](recording(answering)[0]).encode(), f"a.{kind}")


@cache
def right_file(kind: str) -> Recording:
    """The file of a right resource."""
    return file_of(kind, Resource())


class Shorter(Resource):
    """Takes inactive timers of 59 seconds."""

    def takes(self, parameter: str, value: str) -> bool:
        return super().takes(parameter, value) or value == "PT59S"


@pytest.mark.parametrize("kind", FILES)
class TestReferences:
    def test_a_target_is_like_the_file_of_its_like(self, kind: str) -> None:
        found = run((right_file(kind), player(Resource())), None)
        assert found.groups == ()
        assert found.comparison.alike > 20
        assert found.comparison.unserved > 200  # the script asks more

    def test_a_difference_is_told(self, kind: str) -> None:
        (group,) = run((right_file(kind), player(Shorter())), None).groups
        assert group.rules == ("inactive-timer-minimum",)

    def test_settings_of_before_the_first_request_are_brought_about(self, kind: str) -> None:
        used = Resource()
        used.states[0].update(default_inactive_timer="P3D", default_closed_timer="P9D")
        found = run((file_of(kind, used), player(Resource())), None)
        assert found.groups == ()
        assert found.comparison.not_comparable == 0

    def test_no_credentials_are_taken_from_it(self, kind: str) -> None:
        assert {step.request.auth.secret for step in right_file(kind).steps} == {"{token}"}
        assert all(not step.request.headers for step in right_file(kind).steps)


class TestRefused:
    @pytest.mark.parametrize(
        ("text", "says"),
        [
            ("", "neither a HAR nor a cassette"),
            ("{", "neither JSON nor YAML"),
            ("[" * 500, "nested too deep"),
            ("\xff", "neither"),
            ("{}", "neither a HAR nor a cassette"),
            ('{"log": {"entries": [{}]}}', "entry 1 is not as a HAR has it"),
            ('{"log": {"entries": []}}', "no request that can be sent again"),
            ("interactions: [{request: 1, response: 2}]", "entry 1 is not as a VCR has it"),
            (
                "interactions: [{request: {method: GET, uri: 'http://['}, response: {status: {code: 200}}}]",
                "entry 1 is not as a VCR has it",
            ),
            (
                "interactions: [{request: {method: GET, uri: /}, response: {status: {code: .inf}}}]",
                "entry 1 is not as a VCR has it",
            ),
            ("a: &a [*b]", "neither JSON nor YAML"),
        ],
    )
    def test_anything_else_is_refused_in_one_line(self, text: str, says: str, tmp_path: Path) -> None:
        path = tmp_path / "a.yaml"
        path.write_text(text, encoding="utf-8")
        with pytest.raises(RecordingError, match=says) as refused:
            read(path)
        assert "\n" not in str(refused.value)

    def test_requests_to_other_resources_are_left_alone(self) -> None:
        document = har(recording()[0])
        for entry in document["log"]["entries"][5:]:
            entry["request"]["url"] = "http://fake.test/v1/Conversations"
        assert len(read_foreign(json.dumps(document).encode(), "a").taken) == 5

    def test_a_body_that_is_not_in_the_file_is_not_comparable(self) -> None:
        document = har(recording()[0])
        del document["log"]["entries"][3]["response"]["content"]["text"]
        found = run((read_foreign(json.dumps(document).encode(), "a"), player(Resource())), None)
        assert found.groups == ()
        assert found.comparison.not_comparable == 1
        assert len(short().steps) > 20


@pytest.mark.parametrize(("user", "secret"), [("{sid}", "{swapped}"), ("{sid~4}", "{token~5}")])
def test_near_misses_of_credentials_are_read_from_archives_of_our_own(user: str, secret: str) -> None:
    document = har(recording()[0])
    headers = document["log"]["entries"][0]["request"]["headers"]
    headers[:] = [each for each in headers if each["name"].lower() != "authorization"]
    headers.append({"name": "Authorization", "value": f"Basic {user}:{secret}"})
    first = read_foreign(json.dumps(document).encode(), "a.har").steps[0]
    assert (first.request.auth.user, first.request.auth.secret) == (user, secret)
