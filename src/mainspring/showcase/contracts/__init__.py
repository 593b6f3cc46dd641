"""Contract intelligence: a contract goes in, a cited risk report streams out."""

from .concepts import ContractConcepts, find_labels
from .pipeline import PIPELINE, Analyst, Upload, build_pipeline
from .product import product
from .replaced import build_replaced
from .samples import SAMPLES, sample_path
from .saved_playbooks import Playbooks
from .service import SOURCE, Contracts, StoredReport, Submission
from .writer import ModelWriter

__all__ = [
    "PIPELINE",
    "SAMPLES",
    "SOURCE",
    "Analyst",
    "ContractConcepts",
    "Contracts",
    "ModelWriter",
    "Playbooks",
    "StoredReport",
    "Submission",
    "Upload",
    "build_pipeline",
    "build_replaced",
    "find_labels",
    "product",
    "sample_path",
]
