"""Hypothesis strategies for SIDs, ISO 8601 durations, and the forms that carry them. The package needs no other."""

from conformance_strategies._invalid_durations import (
    INVALID_DURATION_CLASSES,
    InvalidDurationClass,
    invalid_durations,
)
from conformance_strategies._notations import NOTATIONS, DurationNotation
from conformance_strategies._wire_variants import FORM_MEDIA_TYPE, WireForm, decode_form, encode_form
from conformance_strategies.durations import (
    durations,
    durations_near,
    near,
    spellings,
)
from conformance_strategies.forms import PARAMETERS, FormDraw, Parameter, forms
from conformance_strategies.sids import INVALID_SID_CLASSES, InvalidSidClass, invalid_sids, sids
from conformance_strategies.wire import WIRE_CLASSES, WireClass, wire_forms

__all__ = [
    "FORM_MEDIA_TYPE",
    "INVALID_DURATION_CLASSES",
    "INVALID_SID_CLASSES",
    "NOTATIONS",
    "PARAMETERS",
    "WIRE_CLASSES",
    "DurationNotation",
    "FormDraw",
    "InvalidDurationClass",
    "InvalidSidClass",
    "Parameter",
    "WireClass",
    "WireForm",
    "decode_form",
    "durations",
    "durations_near",
    "encode_form",
    "forms",
    "invalid_durations",
    "invalid_sids",
    "near",
    "sids",
    "spellings",
    "wire_forms",
]
