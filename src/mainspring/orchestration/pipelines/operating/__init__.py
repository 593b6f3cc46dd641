"""What an engineer who is paged needs: runs, dead letters, holds, schedules, figures, retention."""

from .cron import next_firing
from .declared import Declared
from .figures import Figures, LaneFigures, LaneRates, Places, StepDemand, demands, read_figures
from .operating import Operating, build_operating
from .retention import purge_runs
from .routes import build_metrics_router, build_router
from .runs import find_standing
from .schedules import fire_due
from .types import (
    BULK_PREFIX,
    HOLD_PREFIX,
    LETTER_PREFIX,
    SCHEDULE_PREFIX,
    BulkAction,
    BulkId,
    BulkKind,
    Hold,
    HoldId,
    HoldKind,
    Letter,
    LetterFilter,
    LetterGroup,
    LetterId,
    LetterState,
    Payload,
    RunFilter,
    Schedule,
    ScheduleId,
    ScheduleTerms,
    StepDetail,
    StepLine,
)

__all__ = [
    "BULK_PREFIX",
    "HOLD_PREFIX",
    "LETTER_PREFIX",
    "SCHEDULE_PREFIX",
    "BulkAction",
    "BulkId",
    "BulkKind",
    "Declared",
    "Figures",
    "Hold",
    "HoldId",
    "HoldKind",
    "LaneFigures",
    "LaneRates",
    "Letter",
    "LetterFilter",
    "LetterGroup",
    "LetterId",
    "LetterState",
    "Operating",
    "Payload",
    "Places",
    "RunFilter",
    "Schedule",
    "ScheduleId",
    "ScheduleTerms",
    "StepDemand",
    "StepDetail",
    "StepLine",
    "build_metrics_router",
    "build_operating",
    "build_router",
    "demands",
    "find_standing",
    "fire_due",
    "next_firing",
    "purge_runs",
    "read_figures",
]
