# What can be taken from the package itself, for type checkers; `__init__.py` loads each name when it is asked for.
from mainspring.foundation.http import CurrentPrincipal as CurrentPrincipal
from mainspring.foundation.principal import Principal as Principal
from mainspring.inference.gateway import CallContext as CallContext
from mainspring.inference.gateway import Gateway as Gateway
from mainspring.inference.messages import InferenceRequest as InferenceRequest
from mainspring.inference.messages import assistant as assistant
from mainspring.inference.messages import system as system
from mainspring.inference.messages import user as user
from mainspring.orchestration.pipelines import Abandon as Abandon
from mainspring.orchestration.pipelines import CostCeilingReached as CostCeilingReached
from mainspring.orchestration.pipelines import Elapsed as Elapsed
from mainspring.orchestration.pipelines import FindingAdded as FindingAdded
from mainspring.orchestration.pipelines import Gathered as Gathered
from mainspring.orchestration.pipelines import Pipeline as Pipeline
from mainspring.orchestration.pipelines import Pipelines as Pipelines
from mainspring.orchestration.pipelines import ProcessPool as ProcessPool
from mainspring.orchestration.pipelines import Retry as Retry
from mainspring.orchestration.pipelines import Run as Run
from mainspring.orchestration.pipelines import RunShape as RunShape
from mainspring.orchestration.pipelines import RunStatus as RunStatus
from mainspring.orchestration.pipelines import StepRun as StepRun
from mainspring.orchestration.pipelines import Undo as Undo
from mainspring.orchestration.pipelines import Urgency as Urgency
from mainspring.orchestration.pipelines import Wait as Wait
from mainspring.orchestration.pipelines import for_run as for_run
from mainspring.orchestration.pipelines import for_signal as for_signal
from mainspring.orchestration.pipelines import for_time as for_time
from mainspring.orchestration.pipelines import run_shape as run_shape
from mainspring.orchestration.products import Brought as Brought
from mainspring.orchestration.products import Product as Product
from mainspring.orchestration.products import Services as Services

__version__: str

__all__ = [
    "Abandon",
    "Brought",
    "CallContext",
    "CostCeilingReached",
    "CurrentPrincipal",
    "Elapsed",
    "FindingAdded",
    "Gateway",
    "Gathered",
    "InferenceRequest",
    "Pipeline",
    "Pipelines",
    "Principal",
    "ProcessPool",
    "Product",
    "Retry",
    "Run",
    "RunShape",
    "RunStatus",
    "Services",
    "StepRun",
    "Undo",
    "Urgency",
    "Wait",
    "__version__",
    "assistant",
    "for_run",
    "for_signal",
    "for_time",
    "run_shape",
    "system",
    "user",
]
