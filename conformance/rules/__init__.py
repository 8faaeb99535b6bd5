"""The catalogue of rules. Each rule stands in one place: its row, its inputs and the check that judges by it."""

from conformance.rules.catalogue import BY_ID, CATALOGUE
from conformance.rules.judge import judge
from conformance.rules.reply import Reply

__all__ = ["BY_ID", "CATALOGUE", "Reply", "judge"]
