"""Recordings as files: whole, unchanged, and without secrets; anything else is refused in one line."""

import json

import pytest
from fakes import Resource

from conformance.exceptions import RecordingError
from conformance.fidelity.recording import load, taken_from, written
from conformance.fidelity.script import Step
from conformance.http import Exchange, update
from conformance.reporting import curl
from fidelity.played import recorded, recorded_once


def lines(data: bytes) -> list[str]:
    return data.decode().splitlines()


class TestFile:
    def test_it_is_read_as_it_was_written(self) -> None:
        recording, data = recorded_once()
        assert load(data, "file") == recording

    def test_the_wait_before_a_step_is_part_of_its_request(self) -> None:
        step = Step(
            cls="state/kept-for-seconds", rule="", request=update(("DefaultInactiveTimer", "PT1M"), after=2.0)
        )
        line = written(step, Exchange(number=1, request=step.request), leaks=False, redact=None)
        assert (line["pause_s"], "after_s" in line["exchange"]["request"]) == (2.0, False)
        assert taken_from(1, line).step.request.after == 2.0
        assert curl([taken_from(1, line).exchange], url="http://localhost/v1/Configuration").startswith(
            "sleep 2\n"
        )

    def test_the_same_target_gives_the_same_bytes_but_for_the_date(self) -> None:
        (_, one), (_, other) = recorded_once(), recorded(Resource())
        assert lines(one)[1:] == lines(other)[1:]
        heads = [json.loads(lines(each)[0]) | {"recorded_at": ""} for each in (one, other)]
        assert heads[0] == heads[1]

    @pytest.mark.parametrize(
        ("change", "says"),
        [
            (lambda data: data[:-200], "cut"),
            (lambda data: b"\n".join(data.splitlines()[:-3]) + b"\n", "cut"),
            (lambda data: data.replace(b'"PT1M"', b'"PT2M"', 1), "edited"),
            (lambda data: data.replace(b'"quick"', b'"standard"', 1), "edited"),
            (lambda data: b"{}\n", "not a recording"),
            (lambda data: b"\xff\xfe", "not a recording"),
            (lambda data: data.replace(b'"schema_version": 1', b'"schema_version": 2', 1), "later version"),
        ],
    )
    def test_what_was_cut_edited_or_is_something_else_is_refused_in_one_line(
        self, change: object, says: str
    ) -> None:
        _, data = recorded_once()
        with pytest.raises(RecordingError, match=says) as refused:
            load(change(data), "a.jsonl")  # type: ignore[operator]  # pytest types it
        assert "\n" not in str(refused.value)
        assert str(refused.value).startswith("a.jsonl")
