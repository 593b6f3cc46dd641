"""Steps that were added to the analysis later, each in a file of its own that no other file names.

A module here declares its step in `declare(pipeline, analyst)`. It is found by `Pipeline.discover`, and belongs to
every run that is submitted from then on; runs that are under way end as they were begun.
"""
