"""Sample contracts to try the product on."""

from .catalogue import SAMPLES, Sample, sample_path

__all__ = ["SAMPLES", "Sample", "sample_path"]
