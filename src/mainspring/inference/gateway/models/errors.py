"""How a model's name can be refused.

    UnpinnedModel   422 unpinned_model   the tenant demands fixed versions
    RetiredModel    422 retired_model    its provider serves it no longer

A name that means nothing is `UnknownModel`, of the gateway's own errors.
"""

from mainspring.foundation.errors import InvalidInput


class UnpinnedModel(InvalidInput):
    """The tenant accepts only names of fixed versions; `detail` names those that may be meant."""

    code = "unpinned_model"


class RetiredModel(InvalidInput):
    """The provider no longer serves this model; `detail` names its replacement."""

    code = "retired_model"
