"""What the room refuses.

InvalidInput
+-- EndpointInvalid        422 endpoint_invalid
+-- EventInvalid           422 event_invalid: not a CloudEvent, or its data does not fit the pipeline
+-- EventUnknown           422 event_unknown: no subscription takes its type
Conflict
+-- EndpointOff            409 endpoint_off
+-- TooManyEndpoints       409 too_many_endpoints
"""

from mainspring.foundation.errors import Conflict, InvalidInput


class EndpointInvalid(InvalidInput):
    """An endpoint, a bridge or a subscription cannot be like this."""

    code = "endpoint_invalid"


class EventInvalid(InvalidInput):
    """The request is no CloudEvent, or its data is not what the pipeline takes."""

    code = "event_invalid"


class EventUnknown(InvalidInput):
    """No subscription of the tenant takes an event of this type and source."""

    code = "event_unknown"


class EndpointOff(Conflict):
    """The endpoint takes nothing now; turn it on first."""

    code = "endpoint_off"


class TooManyEndpoints(Conflict):
    """The tenant has as many as it may."""

    code = "too_many_endpoints"
