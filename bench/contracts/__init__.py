"""Every labelled contract through the whole product: does it work, how well, how fast.

`samples` says what is uploaded, `analysing` drives the product through its API, `first_events` times the
first sign of life, `quality` holds the answers against CUAD's, `figures` names all that is measured, and
`table` prints it.
"""
