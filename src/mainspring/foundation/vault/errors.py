"""What the vault refuses."""

from mainspring.foundation.errors import MainspringError


class Unreadable(MainspringError):
    """What is stored cannot be decrypted: its key is gone, or the bytes were changed."""

    code = "unreadable"
    status = 503
