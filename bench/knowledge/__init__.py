"""How search over knowledge scales: every way of keeping a tenant's vectors apart, measured at a million chunks."""
