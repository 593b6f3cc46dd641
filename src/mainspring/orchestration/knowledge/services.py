"""Every service of knowledge, as its routes need them; `entry` builds them and hands them over in one."""

from dataclasses import dataclass

from .documents import Documents
from .indexing import Indexes
from .ingestion import Ingestion
from .intake import Intake
from .overview import Overview
from .rebuilds import Rebuilds
from .retrieval import Search
from .setup import Setups
from .sources import Sources
from .watching import Watch


@dataclass(frozen=True, slots=True)
class KnowledgeServices:
    """The use cases of knowledge."""

    documents: Documents
    indexes: Indexes
    setups: Setups
    ingestion: Ingestion
    intake: Intake
    sources: Sources
    rebuilds: Rebuilds
    search: Search
    overview: Overview
    watch: Watch
