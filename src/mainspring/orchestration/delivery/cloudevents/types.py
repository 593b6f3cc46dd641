"""A CloudEvent of version 1.0."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

SPEC_VERSION = "1.0"


@dataclass(frozen=True, slots=True)
class CloudEvent:
    """What happened, where, and the data that tells of it.

    source      a URI reference; with `id` it names the event
    data        a JSON value, or bytes when the content type is not JSON; None without data
    extensions  further attributes, as the wire has them
    """

    id: str
    source: str
    type: str
    data: object = None
    time: datetime | None = None
    subject: str | None = None
    datacontenttype: str | None = None
    dataschema: str | None = None
    extensions: Mapping[str, str] = field(default_factory=dict[str, str])
