"""Delivery: events of the platform go out to webhooks and queues, and events of others come in and start runs."""
