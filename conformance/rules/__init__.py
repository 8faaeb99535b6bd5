"""The catalogue: every rule, written out in one place, with its check and what else the suite knows of it."""

from conformance.rules.catalogue import BY_ID, CATALOGUE
from conformance.rules.judge import judge
from conformance.rules.reply import Reply

__all__ = ["BY_ID", "CATALOGUE", "Reply", "judge"]
