"""Where a webhook may not lead: into the operator's own network, whatever its name says and when it says so."""

import pytest

from mainspring.foundation.db import Database
from mainspring.foundation.ids import TenantId
from mainspring.foundation.webguard import UrlRefused
from mainspring.orchestration.delivery import EndpointInvalid, NewEndpoint

from .receiver import Receiver
from .scenes import HOST, Names, gate, post_office


@pytest.mark.parametrize(
    "url",
    [
        "https://127.0.0.1/",
        "https://[::1]/",
        "https://10.0.0.8/hook",
        "https://192.168.1.1/",
        "https://169.254.169.254/latest/meta-data",
        "https://[::ffff:127.0.0.1]/",
        "https://0.0.0.0/",
        "https://localhost/x",
        "https://LOCALHOST./x",
        "https://hooks.localhost/x",
        "https://user:word@example.com/",
        "https://example.com:22/",
        "ftp://example.com/",
        "file:///etc/passwd",
    ],
)
async def test_an_address_of_the_own_network_is_refused_at_once(database: Database, tenant: TenantId, url: str):
    post = post_office(database, tenant, gate())
    with pytest.raises(UrlRefused):
        await post.endpoints.create(post.principal, NewEndpoint(url, ("*",)))


async def test_an_unencrypted_address_is_refused(database: Database, tenant: TenantId):
    post = post_office(database, tenant, gate())
    with pytest.raises(EndpointInvalid, match="https"):
        await post.endpoints.create(post.principal, NewEndpoint("http://example.com/", ("*",)))


@pytest.mark.parametrize("inside", ["127.0.0.1", "10.1.2.3", "169.254.169.254", "::1", "fd00:ec2::254"])
async def test_a_name_that_leads_inside_is_refused_when_it_is_connected_to(
    database: Database, tenant: TenantId, inside: str
):
    names = Names(rebind_example=[[inside]])
    post = post_office(database, tenant, gate(names=names))
    created = await post.endpoints.create(post.principal, NewEndpoint("https://rebind.example/", ("*",)))
    await post.tell("a.b")
    await post.sender.deliver_due()
    (delivery,) = await post.deliveries(created.endpoint.id)
    _, (attempt,) = await post.endpoints.get_delivery(post.principal, created.endpoint.id, delivery.id)
    assert attempt.error
    assert "not on the public internet" in attempt.error
    assert inside not in attempt.error


async def test_a_name_is_asked_for_once_so_that_a_second_answer_gains_nothing(
    database: Database, tenant: TenantId, receiver: Receiver
):
    names = Names(hooks_corp=[["169.254.169.254"], ["127.0.0.1"]])
    post = post_office(database, tenant, gate(receiver.port, names=names))
    await post.add(receiver.port)
    await post.tell("a.b")
    await post.sender.deliver_due()
    assert names.asked == [HOST]
    assert receiver.got == []


async def test_one_inside_address_among_public_ones_refuses_the_name(database: Database, tenant: TenantId):
    names = Names(mixed_example=[["93.184.216.34", "10.0.0.1"]])
    post = post_office(database, tenant, gate(names=names))
    created = await post.endpoints.create(post.principal, NewEndpoint("https://mixed.example/", ("*",)))
    await post.tell("a.b")
    await post.sender.deliver_due()
    found = await post.endpoints.get(post.principal, created.endpoint.id)
    assert found.health.last_failure
    assert "public internet" in found.health.last_failure
