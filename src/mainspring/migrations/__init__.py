"""The schema's history, shipped in the wheel: `mainspring migrate` brings a database to the newest form.

Safe to run from several processes at once: an advisory lock lets one work while the others wait
and then find nothing left to do.
"""

from mainspring.migrations.runner import head_revision, migrate

__all__ = ["head_revision", "migrate"]
