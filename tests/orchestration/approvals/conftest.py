"""What the tests of approvals share; see `office`."""

from tests.orchestration.approvals.office import approvals, identity, office, other_office

__all__ = ["approvals", "identity", "office", "other_office"]
