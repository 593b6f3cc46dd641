"""What this room refuses.

ProductInvalid   500 product_invalid: a package that cannot be loaded or clashes with another, found at start-up
"""

from mainspring.foundation.errors import MainspringError


class ProductInvalid(MainspringError):
    """A product cannot be taken in; the detail names the package and what to change."""

    code = "product_invalid"
