"""The wire shapes of knowledge, one module for each resource. Their descriptions are the API reference."""
