"""The routes of orchestration for the walk, and what they name: made in the first tenant, by HTTP, once."""

from functools import cache
from typing import Any

import httpx

from tests.entry.walked import JSON, Route
from tests.stack import wait_until

VIEW, ANALYZE, APPROVE = "ai.output.view", "ai.analysis.trigger", "ai.recommendation.approve"
OPERATE, RUN, EDIT = "run.operate", "agent.run", "agent.edit"
TOOLS, DELIVERY = "tool.manage", "delivery.manage"
_THREAD, _ASSISTANT = "/v1/agents/threads/{thread}", "/v1/agents/assistants/{assistant}"
_AGENT_RUN = _THREAD + "/runs/{agent_run}"
_NOBODY = "0190a000-0000-7000-8000-000000000000"
_START: dict[str, Any] = {"assistant_id": "errand", "input": {"calls": []}}
_CRON: dict[str, Any] = {**_START, "schedule": "0 0 1 1 *"}
_SINK = {"kind": "nats", "url": "nats://broker.invalid:4222", "address": "out", "topics": ["run.finished"]}
_TRIGGER = {"kind": "nats", "url": "nats://broker.invalid:4222", "address": "IN/main", "pipeline": "rehearsal.act"}
_HOOK = {"url": "https://hooks.invalid/in", "topics": ["run.finished"]}
_EVENT = {"specversion": "1.0", "id": "1", "source": "/tests", "type": "walk", "data": {"words": "hello"}}
_SUBSCRIPTION = {"type": "walk", "pipeline": "rehearsal.act"}
_SCHEDULE = {"name": "yearly", "pipeline": "rehearsal.act", "input": {"words": "acme"}, "cron": "0 0 1 1 *"}
_SERVER = {"name": "far", "address": "https://mcp.invalid/mcp"}
_ITEM = {"namespace": ["acme"], "key": "one"}
_SPAN = {"since": "2026-01-01T00:00:00Z"}
_DECIDE = {"verdict": "approve", "digest": "0" * 64}
_CHECKPOINT = {"checkpoint": {"checkpoint_id": _NOBODY}}


def _body(value: object) -> dict[str, Any]:
    return {JSON: value}


OPERATING = [
    Route("GET", "/v1/runs/{run}/steps", VIEW),
    Route("GET", "/v1/runs/{run}/steps/{step}", VIEW),
    Route("GET", "/v1/runs/{run}/ag-ui", VIEW),
    Route("GET", "/v1/runs/{run}/ai-sdk", VIEW),
    Route("POST", "/v1/runs/{run}/retry", OPERATE, changes=True),
    Route("POST", "/v1/runs/{run}/replay", OPERATE, changes=True),
    Route("POST", "/v1/runs/{run}/signal/now", OPERATE, changes=True),
    Route("POST", "/v1/runs:cancel", OPERATE, _body({"all": True}), changes=True),
    Route("GET", "/v1/pipelines", VIEW),
    Route("GET", "/v1/products", VIEW),
    Route("POST", "/v1/pipelines/rehearsal.act/runs", OPERATE, _body({"input": {}}), changes=True),
    Route("GET", "/v1/dead-letters", VIEW),
    Route("GET", "/v1/dead-letters/groups", VIEW),
    Route("GET", "/v1/dead-letters/{letter}", VIEW),
    Route("POST", "/v1/dead-letters/{letter}/replay", OPERATE, changes=True),
    Route("POST", "/v1/dead-letters/{letter}/discard", OPERATE, _body({"reason": "r"}), changes=True),
    Route("POST", "/v1/dead-letters/{letter}/restore", OPERATE, changes=True),
    Route("POST", "/v1/dead-letters:replay", OPERATE, changes=True),
    Route("POST", "/v1/dead-letters:discard", OPERATE, _body({"reason": "r"}), changes=True),
    Route("GET", "/v1/bulk-actions", VIEW),
    Route("GET", "/v1/bulk-actions/{bulk}", VIEW),
    Route("GET", "/v1/holds", VIEW),
    Route("GET", "/v1/lanes", VIEW),
    Route("POST", "/v1/holds", OPERATE, _body({"reason": "r"}), changes=True),
    Route("DELETE", "/v1/holds/{hold}", OPERATE, changes=True),
    Route("GET", "/v1/schedules", VIEW),
    Route("POST", "/v1/schedules", OPERATE, _body(_SCHEDULE), changes=True),
    Route("GET", "/v1/schedules:preview", VIEW, {"params": {"cron": "0 9 * * 1"}}),
    Route("GET", "/v1/schedules/{schedule}", VIEW),
    Route("PATCH", "/v1/schedules/{schedule}", OPERATE, _body({"is_paused": False}), changes=True),
    Route("DELETE", "/v1/schedules/{schedule}", OPERATE, changes=True),
]

PEOPLE_AND_TOOLS = [
    Route("GET", "/v1/approvals", VIEW),
    Route("GET", "/v1/approvals/{approval}", VIEW),
    Route("POST", "/v1/approvals/{approval}/decide", APPROVE, _body(_DECIDE), changes=True),
    Route("POST", "/v1/approvals/{approval}/delegate", APPROVE, _body({"to": "role:admin"}), changes=True),
    Route("POST", "/v1/approvals/{approval}/withdraw", ANALYZE, changes=True),
    Route("GET", "/v1/tools", RUN),
    Route("PUT", "/v1/tools/note_down/policy", TOOLS, _body({}), changes=True),
    Route("GET", "/v1/tool-calls", VIEW),
    Route("GET", "/v1/tool-secrets", TOOLS),
    Route("PUT", "/v1/tool-secrets/mail.token", TOOLS, _body({"value": "s" * 20}), changes=True),
    Route("DELETE", "/v1/tool-secrets/mail.token", TOOLS, changes=True),
    Route("GET", "/v1/mcp-servers", TOOLS),
    Route("POST", "/v1/mcp-servers", TOOLS, _body(_SERVER), changes=True),
    Route("GET", "/v1/mcp-servers/{server}", TOOLS),
    Route("PATCH", "/v1/mcp-servers/{server}", TOOLS, _body({"timeout_seconds": 5}), changes=True),
    Route("DELETE", "/v1/mcp-servers/{server}", TOOLS, changes=True),
    Route("POST", "/v1/mcp-servers/{server}/refresh", TOOLS, changes=True),
    Route("POST", "/v1/mcp-servers/{server}/approve", TOOLS, _body({"digest": "0" * 64}), changes=True),
]


def _endpoints(base: str, name: str, new: dict[str, Any]) -> list[Route]:
    one, sent = f"{base}/{{{name}}}", f"{base}/{{{name}}}/deliveries/{{{name}_delivery}}"
    return [
        Route("GET", base, DELIVERY),
        Route("POST", base, DELIVERY, _body(new), changes=True),
        Route("GET", one, DELIVERY),
        Route("PATCH", one, DELIVERY, _body({"description": "d"}), changes=True),
        Route("DELETE", one, DELIVERY, changes=True),
        Route("POST", f"{one}/test", DELIVERY, changes=True),
        Route("GET", f"{one}/deliveries", DELIVERY),
        Route("GET", sent, DELIVERY),
        Route("POST", f"{sent}/replay", DELIVERY, changes=True),
        Route("POST", f"{one}/replay", DELIVERY, _body(_SPAN), changes=True),
    ]


DELIVERIES = [
    *_endpoints("/v1/webhooks", "webhook", _HOOK),
    Route("POST", "/v1/webhooks/{webhook}/rotate", DELIVERY, _body({}), changes=True),
    *_endpoints("/v1/bridges/sinks", "sink", _SINK),
    Route("GET", "/v1/bridges/triggers", DELIVERY),
    Route("POST", "/v1/bridges/triggers", DELIVERY, _body(_TRIGGER), changes=True),
    Route("GET", "/v1/bridges/triggers/{trigger}", DELIVERY),
    Route("PATCH", "/v1/bridges/triggers/{trigger}", DELIVERY, _body({"is_on": True}), changes=True),
    Route("DELETE", "/v1/bridges/triggers/{trigger}", DELIVERY, changes=True),
    Route("GET", "/v1/bridges/triggers/{trigger}/refusals", DELIVERY),
    Route("POST", "/v1/events", ANALYZE, _body(_EVENT), changes=True),
    Route("GET", "/v1/events/subscriptions", DELIVERY),
    Route("POST", "/v1/events/subscriptions", DELIVERY, _body(_SUBSCRIPTION), changes=True),
    Route("DELETE", "/v1/events/subscriptions/{subscription}", DELIVERY, changes=True),
]

ASSISTANTS = [
    Route("GET", "/v1/agents/info", None),
    Route("POST", "/v1/agents/assistants", EDIT, _body({"graph_id": "errand"}), changes=True),
    Route("POST", "/v1/agents/assistants/count", RUN, _body({})),
    Route("POST", "/v1/agents/assistants/search", RUN, _body({})),
    Route("GET", _ASSISTANT, RUN),
    Route("PATCH", _ASSISTANT, EDIT, _body({"name": "n"}), changes=True),
    Route("DELETE", _ASSISTANT, EDIT, changes=True),
    Route("GET", f"{_ASSISTANT}/graph", RUN),
    Route("POST", f"{_ASSISTANT}/latest", EDIT, _body({"version": 1}), changes=True),
    Route("GET", f"{_ASSISTANT}/schemas", RUN),
    Route("GET", f"{_ASSISTANT}/subgraphs", RUN),
    Route("GET", f"{_ASSISTANT}/subgraphs/inner", RUN),
    Route("POST", f"{_ASSISTANT}/versions", RUN, _body({})),
    Route("POST", "/v1/agents/runs/crons", EDIT, _body(_CRON), changes=True),
    Route("POST", "/v1/agents/runs/crons/count", RUN, _body({})),
    Route("POST", "/v1/agents/runs/crons/search", RUN, _body({})),
    Route("GET", "/v1/agents/runs/crons/{cron}", RUN),
    Route("PATCH", "/v1/agents/runs/crons/{cron}", EDIT, _body({"enabled": True}), changes=True),
    Route("DELETE", "/v1/agents/runs/crons/{cron}", EDIT, changes=True),
    Route("GET", "/v1/agents/store/items", RUN, {"params": {"namespace": "acme", "key": "one"}}),
    Route("PUT", "/v1/agents/store/items", EDIT, _body({**_ITEM, "value": {}}), changes=True),
    Route("DELETE", "/v1/agents/store/items", EDIT, _body(_ITEM), changes=True),
    Route("POST", "/v1/agents/store/items/search", RUN, _body({})),
    Route("POST", "/v1/agents/store/namespaces", RUN, _body({})),
]

THREADS = [
    Route("POST", "/v1/agents/threads", RUN, _body({}), changes=True),
    Route("POST", "/v1/agents/threads/count", RUN, _body({})),
    Route("POST", "/v1/agents/threads/search", RUN, _body({})),
    Route("POST", "/v1/agents/threads/prune", RUN, _body({"thread_ids": []}), changes=True),
    Route("GET", _THREAD, RUN),
    Route("PATCH", _THREAD, RUN, _body({"metadata": {}}), changes=True),
    Route("DELETE", _THREAD, RUN, changes=True),
    Route("POST", f"{_THREAD}/copy", RUN, changes=True),
    Route("GET", f"{_THREAD}/history", RUN),
    Route("POST", f"{_THREAD}/history", RUN, _body({})),
    Route("GET", f"{_THREAD}/state", RUN),
    Route("POST", f"{_THREAD}/state", RUN, _body({"values": {"answers": []}}), changes=True),
    Route("POST", f"{_THREAD}/state/bulk", RUN, _body({"supersteps": [{"updates": [{}]}]}), changes=True),
    Route("POST", f"{_THREAD}/state/checkpoint", RUN, _body(_CHECKPOINT)),
    Route("GET", f"{_THREAD}/state/{{checkpoint}}", RUN),
    Route("GET", f"{_THREAD}/stream", RUN, changes=True),  # for whom it is open, it does not end
    Route("POST", f"{_THREAD}/stream/events", RUN, _body({"channels": ["lifecycle"]}), True, names_new=True),
    Route("POST", f"{_THREAD}/commands", RUN, _body({"id": 1, "method": "agent.getTree"}), True, names_new=True),
]

AGENT_RUNS = [
    Route("POST", "/v1/agents/runs", RUN, _body(_START), changes=True),
    Route("POST", "/v1/agents/runs/batch", RUN, _body([_START]), changes=True),
    Route("POST", "/v1/agents/runs/cancel", RUN, _body({"status": "pending"}), changes=True),
    Route("POST", "/v1/agents/runs/stream", RUN, _body(_START), changes=True),
    Route("POST", "/v1/agents/runs/wait", RUN, _body(_START), changes=True),
    Route("GET", f"{_THREAD}/runs", RUN),
    Route("POST", f"{_THREAD}/runs", RUN, _body(_START), changes=True),
    Route("POST", f"{_THREAD}/runs/crons", EDIT, _body(_CRON), changes=True),
    Route("POST", f"{_THREAD}/runs/stream", RUN, _body(_START), changes=True),
    Route("POST", f"{_THREAD}/runs/wait", RUN, _body(_START), changes=True),
    Route("GET", _AGENT_RUN, RUN),
    Route("DELETE", _AGENT_RUN, RUN, changes=True),
    Route("POST", f"{_AGENT_RUN}/cancel", RUN, changes=True),
    Route("GET", f"{_AGENT_RUN}/join", RUN),
    Route("GET", f"{_AGENT_RUN}/stream", RUN),
]

ORCHESTRATION = [*OPERATING, *PEOPLE_AND_TOOLS, *DELIVERIES, *ASSISTANTS, *THREADS, *AGENT_RUNS]

NAMES = {
    "rehearsal.act": "{name}",
    "note_down": "{name}",
    "mail.token": "{name}",
    "/signal/now": "/signal/{name}",
    "/subgraphs/inner": "/subgraphs/{namespace}",
    "{agent_run}": "{run}",
    "{webhook}": "{endpoint}",
    "{sink}": "{endpoint}",
    "{webhook_delivery}": "{delivery}",
    "{sink_delivery}": "{delivery}",
}
"""What stands in a walked path for a name of the described one."""


def describe(path: str) -> str:
    """The path as the description has it, without the names that were put in."""
    for name, place in NAMES.items():
        path = path.replace(name, place)
    return path


@cache
def add_orchestration(url: str, key: str) -> dict[str, str]:
    """One of each thing that a route names."""
    with httpx.Client(base_url=f"{url}/v1", headers={"authorization": f"Bearer {key}"}, timeout=30) as client:

        def make(path: str, body: object) -> dict[str, Any]:
            return client.post(path, json=body).raise_for_status().json()

        asking = make("/pipelines/rehearsal.ask/runs", {"input": {"words": "acme"}})["id"]
        failing = make("/pipelines/rehearsal.act/runs", {"input": {"words": "acme", "fails": True}})["id"]
        webhook, sink = make("/webhooks", _HOOK)["id"], make("/bridges/sinks", _SINK)["id"]
        made = {
            "webhook": webhook,
            "webhook_delivery": make(f"/webhooks/{webhook}/test", None)["id"],
            "sink": sink,
            "sink_delivery": make(f"/bridges/sinks/{sink}/test", None)["id"],
            "trigger": make("/bridges/triggers", _TRIGGER)["id"],
            "subscription": make("/events/subscriptions", _SUBSCRIPTION)["id"],
            "schedule": make("/schedules", _SCHEDULE)["id"],
            "hold": make("/holds", {"pipeline": "rehearsal.act", "step": "nothing", "reason": "acme"})["id"],
            "bulk": make("/dead-letters:discard", {"fingerprint": "none", "reason": "acme"})["id"],
            "server": make("/mcp-servers", _SERVER)["id"],
            **_add_agents(client),
        }
        client.put("/tool-secrets/mail.token", json={"value": "s" * 20}).raise_for_status()
        made["approval"] = _wait_for(client, f"/approvals?run={asking}")
        made["letter"] = _wait_for(client, f"/dead-letters?run={failing}")
        return made


def _add_agents(client: httpx.Client) -> dict[str, str]:
    def make(path: str, body: object) -> dict[str, Any]:
        return client.post(f"/agents{path}", json=body).raise_for_status().json()

    assistant = make("/assistants", {"graph_id": "errand", "name": "acme"})["assistant_id"]
    thread = make("/threads", {"metadata": {"of": "acme"}})["thread_id"]
    run = make(f"/threads/{thread}/runs", {**_START, "assistant_id": assistant})["run_id"]
    client.get(f"/agents/threads/{thread}/runs/{run}/join").raise_for_status()
    client.put("/agents/store/items", json={**_ITEM, "value": {"of": "acme"}}).raise_for_status()
    state = client.get(f"/agents/threads/{thread}/state").raise_for_status().json()
    return {
        "assistant": assistant,
        "thread": thread,
        "agent_run": run,
        "cron": make("/runs/crons", _CRON)["cron_id"],
        "checkpoint": state["checkpoint"]["checkpoint_id"],
    }


def _wait_for(client: httpx.Client, path: str) -> str:
    found: list[str] = []

    def is_there() -> bool:
        found[:] = [each["id"] for each in client.get(path).raise_for_status().json()["items"]]
        return bool(found)

    wait_until(is_there)
    return found[0]
