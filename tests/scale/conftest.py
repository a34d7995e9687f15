"""What the tests of several processes may ask for: a node of two that answer and two that work, each on its own machine."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from tests.support.bucket import BucketServer, a_bucket_server
from tests.support.many_processes import ManyProcesses
from tests.support.namespaces import Net, a_net, has_namespaces
from tests.support.postgres import Cluster, a_cluster
from tests.support.process_node import ProcessNode

_MISSING = "These tests make network namespaces: run them as root, with Debian's iproute2."


@pytest.fixture
def net(cluster: Cluster) -> Iterator[Net]:
    """Give four machines on a bridge."""
    if not has_namespaces():
        if os.environ.get("ROUNDS_TEST_ALLOW_SKIP") == "1":
            pytest.skip(_MISSING)
        pytest.fail(_MISSING, pytrace=False)
    with a_net(4) as made:
        yield made


@pytest.fixture
def server(net: Net) -> Iterator[Cluster]:
    """Give a PostgreSQL server that the machines reach through the bridge."""
    with a_cluster(is_durable=True, listen=net.address) as running:
        yield running


@pytest.fixture
def address(net: Net, server: Cluster) -> str:
    """Give the address of the node's database, as its machines know it."""
    return f"postgresql://postgres@{net.address}/postgres"


@pytest.fixture
def bucket(net: Net) -> Iterator[BucketServer]:
    """Give a bucket that the machines reach through the bridge."""
    with a_bucket_server(net.address) as running:
        yield running


@pytest.fixture
async def node(net: Net, address: str, bucket: BucketServer, tmp_path: Path) -> AsyncIterator[ManyProcesses]:
    """Give the node of four processes, whose pictures are in the bucket."""
    made = ManyProcesses(tmp_path, net.machines, bucket.environment | {"ROUNDS_MEDIA": bucket.address})
    try:
        await made.start(address)
        yield made
    finally:
        await made.close()


@pytest.fixture
async def peer(node: ManyProcesses, tmp_path: Path) -> AsyncIterator[ProcessNode]:
    """Give another node, of one process, that the first can reach and knows; dora of it is in ana's group `ward`."""
    made = await ProcessNode.make(tmp_path / "peer", name="Peer")
    try:
        await made.start()
        await node.show_the_way(made.proxy.port)
        await node.add_peer(made)
        await made.add_peer(node)
        yield made
    finally:
        await made.close()
