"""How fast the gateway is, beside nginx, TensorZero and the LiteLLM proxy, in one run on one machine.

A mock upstream and a load generator, both C, share one core; the gateway under test has the other,
together with its Valkey and Postgres. CPU time is read from the whole process tree, so that the
figure to compare (CPU-seconds for 1,000 requests) hardly moves with noise from neighbours.
"""
