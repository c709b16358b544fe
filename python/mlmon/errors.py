"""The errors that a person reads, and the exit codes that a scheduler reads.

Every error that is foreseen is one of these; the command line prints its text and leaves with its
code, without a trace.
"""

OK = 0
FAILED = 1
WRONG = 2
UNDELIVERABLE = 3
TRY_AGAIN = 75


class MlmonError(Exception):
    """Something failed; the text says what and, where it is known, what to do."""

    exit_code = FAILED


class ConfigurationError(MlmonError):
    """The command or the configuration is wrong: trying again will not help."""

    exit_code = WRONG


class UndeliverableError(MlmonError):
    """Alerts that nobody can be told: refused for good, or for a channel that cannot be used."""

    exit_code = UNDELIVERABLE


class TryAgainError(MlmonError):
    """Something is in the way for now, as a lock: the same command may work in a moment."""

    exit_code = TRY_AGAIN
