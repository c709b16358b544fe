"""The errors that a person reads, and the exit codes that a scheduler reads.

Every error that is foreseen is one of these; the command line prints its text and leaves with its
code, without a trace.
"""

OK = 0
FAILED = 1
WRONG = 2
TRY_AGAIN = 75


class MlmonError(Exception):
    """Something failed; the text says what and, where it is known, what to do."""

    exit_code = FAILED


class ConfigurationError(MlmonError):
    """The command or the configuration is wrong: trying again will not help."""

    exit_code = WRONG


class TryAgainError(MlmonError):
    """Somebody else holds the warehouse: the same command may work in a moment."""

    exit_code = TRY_AGAIN
