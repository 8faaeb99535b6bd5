"""How the two timers depend on each other, asked of small targets within this process."""

from collections.abc import Callable

import pytest

from conformance.explore import interplay
from conformance.explore.prober import Prober
from conformance.explore.values import Boundary
from conformance.http import decode_form
from conformance.model import CLOSED, INACTIVE
from conformance.safety.safeguard import Safeguard
from explore.doors import InProcess, Settings, both
from explore.settings import length


class Asked(Settings):
    """A target that takes a form where a function of its values, by parameter, says so."""

    def __init__(self, accepts: Callable[[dict[str, str]], bool]) -> None:
        super().__init__(both(lambda text: True))
        self._takes = accepts

    def answer(self, method: str, body: bytes) -> tuple[int, dict[str, object]]:
        if method == "POST" and not self._takes(dict(decode_form(body))):
            return 400, {"status": 400}
        return super().answer(method, body)


def asking(accepts: Callable[[dict[str, str]], bool]) -> Prober:
    return Prober(InProcess(Asked(accepts)), Safeguard())


@pytest.mark.parametrize(
    ("accepts", "matters"),
    [
        (lambda form: True, False),
        (lambda form: form[CLOSED.parameter] != "P1D", True),
        (lambda form: False, None),
    ],
)
def test_whether_the_closed_timer_may_be_shorter_is_told(
    accepts: Callable[[dict[str, str]], bool], matters: bool | None
) -> None:
    found, remark = interplay.order_matters(asking(accepts))
    assert found is matters
    words = {False: "may be shorter", True: "may not be shorter", None: "It is unknown"}
    assert words[matters] in remark.text
    assert remark.evidence == ("DefaultInactiveTimer=P2D&DefaultClosedTimer=P1D",)


def test_a_timer_that_is_refused_alone_is_sent_in_company_from_then_on() -> None:
    prober = asking(lambda form: CLOSED.parameter in form)
    (remark,) = interplay.needs_company(prober)
    assert remark.topic == "company-inactive-timer"
    assert "DefaultClosedTimer=P1D was sent along with all that follows" in remark.text
    assert prober.ask(INACTIVE, "PT5M").accepted


@pytest.mark.parametrize(
    ("zeros", "said"),
    [
        ((), "No zero is accepted"),
        (("PT0S",), "PT0S reads back as PT0S; PT0M, P0D refused."),
        (("PT0S", "PT0M", "P0D"), "P0D reads back as P0D."),
    ],
)
def test_it_is_told_which_zeros_are_accepted(zeros: tuple[str, ...], said: str) -> None:
    prober = asking(lambda form: form[CLOSED.parameter] in zeros)
    assert said in interplay.zeros(prober, CLOSED).text


def test_it_is_told_whether_the_other_timer_changes_an_answer() -> None:
    least = Boundary(notation="seconds", end="least", refused="PT599S", accepted="PT600S")
    careless = asking(lambda form: len(form) == 2 or length(form.get(CLOSED.parameter, "PT600S")) >= 600)
    right = asking(lambda form: length(form.get(CLOSED.parameter, "PT600S")) >= 600)
    assert interplay.dependence(right, CLOSED, least) is None  # no value of the other timer is known
    for prober, said in (
        (careless, "PT599S is refused alone and accepted beside"),
        (right, "does not matter"),
    ):
        prober.ask(INACTIVE, "P1D")
        remark = interplay.dependence(prober, CLOSED, least)
        assert remark is not None
        assert said in remark.text
