"""The errors that a user is meant to read."""


class UserError(ValueError):
    """Bad input. The message names the file or value, what is wrong with it, and the cure; the CLI prints it alone."""


class MissingRun(UserError):
    """A run is not there and may not be trained."""
