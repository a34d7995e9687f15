"""Pictures in a bucket: kept, read, deleted and swept there, against a server that speaks S3."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator, Iterator

import pytest

from node.foundation.config import build_config, check_config, describe_config
from node.foundation.errors import ConfigError, Unavailable
from node.store.bucket import Bucket, fill_bucket
from node.store.files import delete_files, load_file, save_file
from node.store.stray_files import sweep_files
from tests.support.bucket import BucketServer, a_bucket_server
from tests.support.clock import FrozenClock
from tests.support.databases import Databases
from tests.support.lone_house import LoneHouse, a_lone_house
from tests.support.waiting import until

_PICTURE = b"\x89PNG\r\n\x1a\n a picture"
_SHA256 = hashlib.sha256(_PICTURE).hexdigest()

pytestmark = pytest.mark.only_on("sqlite", reason="what is asked here is no database")


@pytest.fixture(scope="module")
def server() -> Iterator[BucketServer]:
    """Give a bucket."""
    with a_bucket_server() as running:
        yield running


@pytest.fixture
async def lone(
    databases: Databases, clock: FrozenClock, server: BucketServer, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[LoneHouse]:
    """Give a node whose pictures are in the bucket."""
    for name, value in server.environment.items():
        monkeypatch.setenv(name, value)
    async with a_lone_house(databases, clock, media=server.address) as opened:
        yield opened


def _is_there(server: BucketServer) -> bool:
    return server.ask("GET", f"/pictures/node/{_SHA256[:2]}/{_SHA256}")[1] == _PICTURE


async def test_a_picture_is_kept_in_the_bucket_alone_and_read_from_there(lone: LoneHouse, server: BucketServer) -> None:
    sha256 = save_file(lone.core, _PICTURE)

    assert sha256 == _SHA256
    assert _is_there(server)
    assert load_file(lone.core, sha256) == _PICTURE
    assert [path for path in lone.core.data.rglob("*") if path.name == sha256] == []


async def test_t28_a_picture_that_is_erased_leaves_the_bucket(lone: LoneHouse, server: BucketServer) -> None:
    save_file(lone.core, _PICTURE)
    assert _is_there(server)

    delete_files(lone.core, [_SHA256, "0" * 64])

    await until(lambda: not _is_there(server))
    with pytest.raises(FileNotFoundError):
        load_file(lone.core, _SHA256)


async def test_what_no_row_names_is_swept_out_of_the_bucket(lone: LoneHouse, server: BucketServer) -> None:
    save_file(lone.core, _PICTURE)

    young = await sweep_files(lone.core, left_seconds=3600)
    old = await sweep_files(lone.core, left_seconds=-5)

    assert young == 0
    assert old >= 1
    assert not _is_there(server)


async def test_pictures_of_the_data_directory_move_into_the_bucket(lone: LoneHouse, server: BucketServer) -> None:
    path = lone.core.data / "media" / _SHA256[:2] / _SHA256
    path.parent.mkdir(parents=True)
    path.write_bytes(_PICTURE)
    assert lone.core.bucket is not None

    moved = fill_bucket(lone.core.bucket, lone.core.data / "media")

    assert moved == 1
    assert _is_there(server)
    assert not path.exists()


async def test_t28_a_bucket_that_does_not_answer_is_said_without_its_address_or_a_secret(
    server: BucketServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in server.environment.items():
        monkeypatch.setenv(name, value)
    bucket = Bucket("s3://there-is-no-such-bucket")

    with pytest.raises(Unavailable) as found:
        bucket.save(_SHA256, _PICTURE)

    assert "127.0.0.1" not in found.value.internal
    assert "secret" not in found.value.internal


@pytest.mark.parametrize("media", ["file:", "file:/srv/pictures", "s3://pictures", "s3://pictures/node-a"])
def test_media_names_a_folder_or_a_bucket(media: str) -> None:
    config = build_config({"base_url": "https://home.example", "media": media})

    assert check_config(config) == []
    assert describe_config(config)["media"] == media


@pytest.mark.parametrize("media", ["file:pictures", "s3://", "s3://key:secret@pictures", "https://pictures.example"])
def test_media_names_nothing_else_and_no_secret(media: str) -> None:
    with pytest.raises(ConfigError, match="media must be"):
        build_config({"base_url": "https://home.example", "media": media})
