"""Mistakes in HTTP: credentials, methods, media types, forms, and the framing of messages."""

import base64
import re
from collections.abc import Callable
from dataclasses import replace

from conformance.emulator.alterations import WITNESS_ACCOUNTS, Fault, Install, Step, fault
from conformance.emulator.behaviour import CHALLENGE, FORM, Behaviour, parse_credentials
from conformance.emulator.faults import credential_mistakes as logins
from conformance.emulator.faults import protocol_mistakes as mistakes
from conformance.emulator.faults.response import answers, sets_header
from conformance.emulator.forms import decode_text
from conformance.emulator.messages import Answer, Call

(SID, TOKEN), (OTHER_SID, OTHER_TOKEN) = WITNESS_ACCOUNTS.items()
BASIC = "Basic " + base64.b64encode(f"{SID}:{TOKEN}".encode()).decode()
A = "DefaultInactiveTimer=PT1H"
READ = Step(method="GET")
FORM_TYPE = ("Content-Type", FORM)
IS, MG = "DefaultChatServiceSid=IS" + "a" * 32, "DefaultMessagingServiceSid=MG" + "b" * 32
MULTIPART = '--x\r\nContent-Disposition: form-data; name="DefaultInactiveTimer"\r\n\r\nbanana\r\n--x--\r\n'

# The rules about values that a decoder breaks as well, where it changes a value so that what is wrong passes.
SYNTAX = "inactive-timer-syntax closed-timer-syntax"
ALPHABET = "chat-service-sid-alphabet messaging-service-sid-alphabet"
ANCHORING = "chat-service-sid-anchoring messaging-service-sid-anchoring"
STRICTNESS = "closed-timer-strictness chat-service-sid-strictness messaging-service-sid-strictness"


def _sent_as(credentials: str) -> Step:
    return Step(A, credentials=credentials)


def _authorized(value: str) -> Step:
    return Step(A, headers=(FORM_TYPE, ("Authorization", value)))


def _typed(media_type: str, body: str = A, method: str = "POST") -> Step:
    return Step(body, method, headers=(("Content-Type", media_type),))


def _has(name: bytes, text: str) -> Callable[[Call], bool]:
    return lambda call: text in (call.header(name) or "").lower()


def _chunked(call: Call) -> bool:
    return _has(b"transfer-encoding", "chunked")(call)


def _wire(treatment: str, *, when: Callable[[Answer], bool] | None = None) -> Install:
    """Return a mistake: the bytes of answers are treated on the connection."""
    return answers(lambda answer: replace(answer, wire=treatment), when=when)


def _head_with_body(behaviour: Behaviour) -> None:
    inner = behaviour.methods["HEAD"]

    async def head(call: Call, account: str) -> Answer:
        return replace(await inner(call, account), wire="body-on-head")

    behaviour.methods["HEAD"] = head


def _xml_for_anything(behaviour: Behaviour) -> None:
    inner = behaviour.methods["POST"]

    async def post(call: Call, account: str) -> Answer:
        answer = await inner(call, account)
        if call.header(b"accept") != "*/*":
            return answer
        return Answer(200, (("Content-Type", "application/xml"),), b"<Configuration/>")

    behaviour.methods["POST"] = post


def _fault(name: str, rules: str, text: str, install: Install, *witness: str | Step) -> Fault:
    return fault(name, rules, "protocol", text, install, witness)


# fmt: off
ALL: tuple[Fault, ...] = (
    # Credentials
    _fault("credentials-not-needed", "credentials-required",
      "A request without credentials is that of the first account.", logins.credentials(logins.missing),
      _sent_as("")),
    _fault("credentials-unchecked", "credentials-required",
      "Wrong credentials count as those of the first account.",
      logins.credentials(lambda behaviour, call: logins.first_account(behaviour)), _sent_as("nobody:wrong")),
    _fault("any-password", "credentials-required", "Any password of a known account passes.",
      logins.passwords(lambda token, sent: token is not None), _sent_as(f"{SID}:wrong")),
    _fault("any-password-but-empty", "credentials-required", "Any password but the empty one passes.",
      logins.passwords(lambda token, sent: token is not None and bool(sent)), _sent_as(f"{SID}:wrong")),
    _fault("empty-password", "credentials-required", "The empty password passes.",
      logins.passwords(lambda token, sent: token is not None and sent in (token, "")), _sent_as(f"{SID}:")),
    _fault("password-prefix", "credentials-required", "The beginning of a token passes for it.",
      logins.passwords(lambda token, sent: token is not None and bool(sent) and token.startswith(sent)),
      _sent_as(f"{SID}:{TOKEN[:-1]}")),
    _fault("password-extended", "credentials-required", "What begins with a token passes for it.",
      logins.passwords(lambda token, sent: token is not None and sent.startswith(token)),
      _sent_as(f"{SID}:{TOKEN}x")),
    _fault("password-of-eight-characters", "credentials-required",
      "Eight characters of a token are compared, as by DES crypt.",
      logins.passwords(lambda token, sent: token is not None and token[:8] == sent[:8]),
      _sent_as(f"{SID}:{TOKEN[:8]}")),
    _fault("password-of-any-case", "credentials-required", "Letters of either case are the same in a token.",
      logins.passwords(lambda token, sent: token is not None and token.lower() == sent.lower()),
      _sent_as(f"{SID}:{TOKEN.upper()}")),
    _fault("password-by-length", "credentials-required", "A password of a token's length passes.",
      logins.passwords(lambda token, sent: token is not None and len(token) == len(sent)),
      _sent_as(f"{SID}:{TOKEN[::-1]}")),
    _fault("password-of-any-account", "credentials-required",
      "The token of one account is accepted for another account.", logins.credentials(logins.any_token),
      _sent_as(f"{SID}:{OTHER_TOKEN}")),
    _fault("password-up-to-colon", "credentials-required", "A password ends at its first colon.",
      logins.credentials(logins.up_to_second_colon), _sent_as(f"{SID}:{TOKEN}:x")),
    _fault("password-trimmed", "credentials-required", "Blanks around a token are trimmed.",
      logins.credentials(logins.trimmed), _sent_as(f"{SID}:{TOKEN} ")),
    _fault("credentials-of-any-case", "credentials-required",
      "User names and tokens are compared in lower case.", logins.credentials(logins.name_of_any_case),
      _sent_as(f"{SID.lower()}:{TOKEN}")),
    _fault("credentials-swapped", "credentials-required", "User name and password may change places.",
      logins.credentials(logins.swapped), _sent_as(f"{TOKEN}:{SID}")),
    _fault("credentials-undecodable", "credentials-required", "Credentials that cannot be decoded pass.",
      logins.credentials(logins.undecodable), _authorized("Basic !!!")),
    _fault("bearer-sid", "credentials-required", "A Bearer token passes that is an account's SID or token.",
      logins.credentials(logins.other_scheme), _authorized(f"Bearer {SID}")),
    _fault("unknown-account", "credentials-required", "An unknown account is accepted with an empty token.",
      logins.passwords(lambda token, sent: (token or "") == sent), _sent_as("AC" + "0" * 32 + ":")),
    _fault("read-without-credentials", "credentials-status", "GET needs no credentials.",
      logins.unauthenticated("GET"), Step(method="GET", credentials="")),
    _fault("update-without-credentials", "credentials-required", "POST needs no credentials.",
      logins.unauthenticated("POST"), _sent_as("")),
    _fault("written-before-credentials", "credentials-required",
      "An update is written before its credentials are refused.", logins.writes_before_credentials,
      _sent_as(f"{SID}:wrong"), READ),
    _fault("unauthorized-as-400", "credentials-status", "Refused credentials get 400.",
      logins.unauthorized_as(400), _sent_as("")),
    _fault("unauthorized-as-404", "credentials-status", "Refused credentials get 404.",
      logins.unauthorized_as(404), _sent_as("")),
    _fault("malformed-credentials-as-400", "credentials-status",
      "Credentials that cannot be decoded get 400.",
      logins.unauthorized_as(400, when=lambda call: parse_credentials(call) is None),
      _authorized("Basic !!!")),
    _fault("challenge-missing", "challenge", "A 401 carries no challenge.", logins.unauthorized_as(401),
      _sent_as("")),
    _fault("challenge-missing-on-wrong-password", "challenge",
      "A 401 for a wrong password carries no challenge.",
      logins.unauthorized_as(401, when=lambda call: parse_credentials(call) is not None),
      _sent_as(f"{SID}:wrong")),
    _fault("challenge-missing-without-credentials", "challenge",
      "A 401 without credentials carries no challenge.",
      logins.unauthorized_as(401, when=lambda call: call.header(b"authorization") is None), _sent_as("")),
    _fault("challenge-misnamed", "challenge", "The challenge comes as Proxy-Authenticate.",
      logins.unauthorized_as(401, ("Proxy-Authenticate", CHALLENGE[1])), _sent_as("")),
    _fault("scheme-capitalised", "scheme-case", "The scheme has to be written Basic.",
      logins.scheme_must(lambda scheme: scheme == "Basic"), _authorized(BASIC.replace("B", "b", 1))),
    _fault("scheme-not-upper-case", "scheme-case", "The scheme may not be upper case.",
      logins.scheme_must(lambda scheme: scheme != "BASIC"), _authorized(BASIC.replace("Basic", "BASIC"))),
    # Media types, methods, transfer coding
    _fault("media-type-lower-case", "media-type-case", "The media type has to be in lower case.",
      mistakes.media_type(lambda value: value.partition(";")[0] == FORM),
      _typed("Application/X-WWW-Form-Urlencoded")),
    _fault("media-type-upper-case-ignored", "media-type-case",
      "A form whose media type has capitals is taken for empty.",
      mistakes.ignores_body(lambda call: re.search("[A-Z]", call.header(b"content-type") or "")),
      _typed("APPLICATION/X-WWW-FORM-URLENCODED")),
    _fault("charset-refused", "charset-parameter", "A media type with parameters is refused.",
      mistakes.media_type(lambda value: value.lower() == FORM), _typed(FORM + "; charset=utf-8")),
    _fault("charset-quoted-refused", "charset-parameter", "A quoted charset is refused.",
      mistakes.media_type(lambda value: value.lower().startswith(FORM) and '"' not in value),
      _typed(FORM + '; charset="utf-8"')),
    _fault("charset-upper-case-refused", "charset-parameter", "UTF-8 has to be written in lower case.",
      mistakes.media_type(lambda value: value.lower().startswith(FORM) and "UTF" not in value),
      _typed(FORM + "; charset=UTF-8")),
    _fault("charset-without-blank-refused", "charset-parameter", "A blank is required before the charset.",
      mistakes.media_type(lambda value: value.partition("; ")[0].lower() == FORM),
      _typed(FORM + ";charset=utf-8")),
    _fault("charset-empties", "charset-parameter",
      "A form whose media type has a parameter is taken for empty.",
      mistakes.ignores_body(_has(b"content-type", ";")), _typed(FORM + "; charset=utf-8")),
    _fault("accept-anything-refused", "accept-header", "Accept: */* is refused.",
      mistakes.refuses_call(lambda call: call.header(b"accept") == "*/*", 406),
      Step(A, headers=(FORM_TYPE, ("Accept", "*/*")))),
    _fault("accept-anything-as-xml", "accept-header", "Accept: */* is answered in XML.", _xml_for_anything,
      Step(A, headers=(FORM_TYPE, ("Accept", "*/*")))),
    _fault("chunked-taken-for-empty", "chunked-body",
      "A chunked body is taken for empty, for want of a length.", mistakes.ignores_body(_chunked),
      Step(A, chunked=True)),
    _fault("chunked-refused", "chunked-body", "A chunked body is refused with 400.",
      mistakes.refuses_call(_chunked, 400), Step(A, chunked=True)),
    _fault("chunked-refused-as-too-large", "chunked-body", "A chunked body is refused with 413.",
      mistakes.refuses_call(_chunked, 413), Step(A, chunked=True)),
    _fault("chunked-cut", "chunked-body", "The last byte of a chunked body is lost.",
      mistakes.posts_as(lambda call: replace(call, body=call.body[:-1]) if _chunked(call) else call),
      Step(A, chunked=True)),
    _fault("allow-missing", "allow-header", "A 405 carries no Allow.",
      sets_header("Allow", None, when=lambda answer: answer.status == 405), Step(method="PUT")),
    # Forms
    _fault("names-undecoded", "form-decoding", "Names are not percent-decoded.",
      mistakes.decodes(mistakes.names_undecoded), "%44efaultInactiveTimer=PT1H"),
    _fault("values-undecoded", "form-decoding", "Values are not percent-decoded.",
      mistakes.decodes(mistakes.values_undecoded), "DefaultInactiveTimer=%50T1H"),
    _fault("decoded-twice", f"form-decoding {SYNTAX} {ALPHABET}",
      "Values are percent-decoded twice.",
      mistakes.each_value(lambda value: decode_text(value.encode())), "DefaultInactiveTimer=%2550T1H"),
    _fault("lower-case-escapes-undecoded", "form-decoding", "Escapes with lower-case digits are not decoded.",
      mistakes.decodes(mistakes.lower_case_escapes_undecoded), "DefaultInactiveTimer=PT1%4d"),
    _fault("broken-escapes-dropped", "form-decoding", "Broken escapes are dropped.",
      mistakes.decodes(mistakes.broken_escapes_dropped), "DefaultInactiveTimer=PT1H%"),
    _fault("invalid-utf-8-dropped", "form-decoding", "Bytes that are not UTF-8 are dropped.",
      mistakes.decodes(mistakes.invalid_utf_8_dropped), "DefaultInactiveTimer=PT1H%FF"),
    _fault("blanks-dropped", f"{SYNTAX} inactive-timer-strictness {STRICTNESS}",
      "Blanks are dropped from every value.",
      mistakes.each_value(lambda value: value.replace(" ", "")), "DefaultInactiveTimer=PT+1H"),
    _fault("semicolons-separate", "form-decoding", "Pairs are separated by semicolons too.",
      mistakes.decodes(mistakes.semicolons), "DefaultInactiveTimer=PT1H;x=y"),
    _fault("value-ends-at-equals", "form-decoding", "A value ends at its first equals sign.",
      mistakes.decodes(mistakes.up_to_second_equals), "DefaultInactiveTimer=PT1H=x"),
    _fault("empty-pair-ends-form", "form-decoding", "A form ends at its first empty pair.",
      mistakes.decodes(mistakes.empty_pairs_end), "DefaultInactiveTimer=PT1H&&DefaultClosedTimer=P1D"),
    _fault("empty-pair-refused", "form-decoding", "An empty pair is refused.",
      mistakes.decodes(mistakes.empty_pairs_refused), "DefaultInactiveTimer=PT1H&"),
    _fault("nul-ends-value", f"form-decoding {SYNTAX} {ANCHORING} inactive-timer-strictness {STRICTNESS}",
      "A value ends at a NUL.",
      mistakes.each_value(lambda value: value.partition("\0")[0]), "DefaultInactiveTimer=PT1H%00x"),
    _fault("character-references-resolved", f"form-decoding {SYNTAX} {ALPHABET}",
      "Character references in values are resolved.",
      mistakes.each_value(mistakes.unescaped_html), "DefaultInactiveTimer=PT1%26%2372%3B"),
    _fault("values-trimmed", f"inactive-timer-strictness {STRICTNESS}",
      "Blanks around every value are trimmed by the form's decoder.", mistakes.each_value(str.strip),
      "DefaultInactiveTimer=+PT1H"),
    _fault("last-of-three-lost", "any-subset parameter-order",
      "The last of three or more parameters is lost.",
      mistakes.decodes(mistakes.last_pair_lost), f"{A}&{IS}&{MG}"),
    # Combinations
    _fault("one-parameter-only", "any-subset", "Only one parameter is taken at a time.",
      mistakes.needs(lambda names: len(names) < 2), f"{A}&{IS}"),
    _fault("timers-need-each-other", "any-subset", "A timer is refused without the other.",
      mistakes.needs(lambda names: len({name for name in names if "Timer" in name}) != 1), A),
    _fault("sids-need-each-other", "any-subset", "A SID is refused without the other.",
      mistakes.needs(lambda names: len({name for name in names if "Sid" in name}) != 1), IS),
    _fault("all-parameters-needed", "any-subset", "All four parameters are needed.",
      mistakes.needs(lambda names: len(names) in (0, 4)), A),
    _fault("closed-timer-needed", "any-subset", "The closed timer is needed in every update.",
      mistakes.needs(lambda names: not names or "DefaultClosedTimer" in names), A),
    _fault("sids-exclude-timers", "any-subset", "SIDs and timers are not taken together.",
      mistakes.needs(lambda names: len({name[-3:] for name in names}) < 2), f"{A}&{IS}"),
    _fault("at-most-three-parameters", "any-subset", "More than three parameters are refused.",
      mistakes.needs(lambda names: len(names) < 4), f"{A}&{IS}&{MG}&DefaultClosedTimer=P1D"),
    _fault("parameters-sorted", "parameter-order", "Parameters have to come in alphabetical order.",
      mistakes.needs(lambda names: names == sorted(names)), f"{MG}&{IS}"),
    _fault("closed-before-inactive-refused", "parameter-order",
      "The closed timer may not precede the inactive one.",
      mistakes.needs(lambda names: re.search("Closed.*Inactive", "".join(names)) is None),
      f"DefaultClosedTimer=P1D&{A}"),
    _fault("timers-by-position", "parameter-order", "Two timers are told apart by their order.",
      mistakes.decodes(mistakes.timers_by_position), f"DefaultClosedTimer=P1D&{A}"),
    _fault("nothing-after-sids", "parameter-order", "Timers after a SID are ignored.",
      mistakes.decodes(mistakes.nothing_after_sids), f"{IS}&{A}"),
    _fault("unknown-ends-form", "parameter-order", "Parameters after an unknown one are ignored.",
      mistakes.decodes(mistakes.unknown_ends), f"x=y&{A}"),
    # Repeated and unvalidated
    _fault("repeated-joined", "repeated-parameters timer-representation",
      "Repeated values are joined by commas.",
      mistakes.repeated_stored(", ".join), f"{A}&DefaultInactiveTimer=PT2H"),
    _fault("repeated-as-list", "repeated-parameters timer-representation",
      "Repeated values are kept as a list.",
      mistakes.repeated_stored(str), f"{A}&DefaultInactiveTimer=PT2H"),
    _fault("repeated-cleared", "repeated-parameters", "Repeated values clear the parameter.",
      mistakes.repeated_stored(lambda sent: None), f"{A}&DefaultInactiveTimer=PT2H"),
    _fault("repeated-ignored", "repeated-parameters", "Repeated values are ignored, with 200.",
      mistakes.collects(lambda sent: None), f"{A}&DefaultInactiveTimer=PT2H"),
    _fault("repeated-last-unvalidated", "repeated-parameters",
      "Of repeated values the first one is validated, and the last one is kept.",
      mistakes.repeated_stored(lambda sent: sent[-1]), f"{A}&DefaultInactiveTimer=banana"),
    _fault("json-unvalidated", "unvalidated-write", "Values in a JSON body are written unchecked.",
      mistakes.unvalidated(mistakes.json_unchecked, "POST"),
      _typed("application/json", '{"DefaultInactiveTimer": "banana"}')),
    _fault("query-unvalidated", "unvalidated-write", "Values in the query are written unchecked.",
      mistakes.unvalidated(mistakes.query_unchecked, "POST"),
      Step(path="/v1/Configuration?DefaultInactiveTimer=banana")),
    _fault("multipart-unvalidated", "unvalidated-write", "Values in a multipart body are written unchecked.",
      mistakes.unvalidated(mistakes.multipart_unchecked, "POST"),
      _typed("multipart/form-data; boundary=x", MULTIPART)),
    _fault("plain-text-unvalidated", "unvalidated-write", "A form labelled text/plain is written unchecked.",
      mistakes.unvalidated(mistakes.plain_text_unchecked, "POST"),
      _typed("text/plain", "DefaultInactiveTimer=banana")),
    _fault("attributes-unvalidated", "unvalidated-write",
      "Parameters under the attributes' names are written unchecked.",
      mistakes.unvalidated(mistakes.attributes_unchecked, "POST"), "default_inactive_timer=banana"),
    _fault("other-case-unvalidated", "unvalidated-write",
      "Parameters whose names are in another case are written unchecked.",
      mistakes.unvalidated(mistakes.other_case_unchecked, "POST"), "defaultinactivetimer=banana"),
    _fault("put-unvalidated", "unvalidated-write", "PUT writes unchecked.",
      mistakes.unvalidated(mistakes.form_unchecked, "PUT"), Step("DefaultInactiveTimer=banana", "PUT")),
    _fault("patch-unvalidated", "unvalidated-write", "PATCH writes unchecked.",
      mistakes.unvalidated(mistakes.form_unchecked, "PATCH"), Step("DefaultInactiveTimer=banana", "PATCH")),
    _fault("account-named-in-form", "accounts-apart",
      "A parameter AccountSid names the account to write to, unchecked.",
      mistakes.unvalidated(mistakes.other_account, "POST"), f"{A}&AccountSid={OTHER_SID}",
      Step(method="GET", account=1)),
    # Framing
    _fault("length-too-large", "framing", "Content-Length counts seven bytes too many.",
      _wire("length-too-large"), A),
    _fault("length-too-small", "framing json-body read-response", "Content-Length counts one byte too few.",
      _wire("length-too-small"), A),
    _fault("lengths-differ", "framing", "Two Content-Lengths differ.", _wire("two-lengths"), A),
    _fault("length-and-chunked", "framing", "A body that is not chunked is labelled as chunked.",
      _wire("length-and-chunked"), A),
    _fault("last-chunk-missing", "framing", "The last chunk is missing.", _wire("no-last-chunk"), A),
    _fault("chunk-size-decimal", "framing", "The size of a chunk is written in decimal.",
      _wire("decimal-chunk-size"), A),
    _fault("blank-before-colon", "framing", "A blank stands before a header's colon.",
      _wire("blank-before-colon"), A),
    _fault("bytes-after-body", "framing", "Bytes follow the body.", _wire("extra-bytes"), A, A),
    _fault("body-after-head", "framing", "An answer to HEAD has a body.", _head_with_body,
      Step(method="HEAD"), READ),
    _fault("body-cut-off", "framing", "The connection is closed half-way through a body.",
      _wire("drop-half-way"), A),
    _fault("refusals-cut-off", "framing", "The connection is closed half-way through a refusal.",
      _wire("drop-half-way", when=lambda answer: answer.status == 400), "DefaultInactiveTimer=PT1S"),
)
# fmt: on
