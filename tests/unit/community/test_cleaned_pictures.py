"""Pictures of members: only the picture itself is kept, under a name of ours, and a hostile file costs little (T52)."""

from __future__ import annotations

import asyncio
import struct
import zlib
from io import BytesIO
from typing import Any

import pytest
from PIL import Image as Picture
from PIL.PngImagePlugin import PngInfo

from node.community.posts.pictures import read_attachment
from node.community.posts.uploads import add_image, clean_picture
from node.foundation.errors import Invalid, NodeError, TooLarge
from node.store.files import MEDIA_TYPES, sniff_picture
from tests.support.clock import FrozenClock
from tests.support.corridor import Corridor, a_corridor
from tests.support.databases import Databases

PIXELS = 40_000_000
CANARY = b"<script>canary-4f1d</script>"
_DIGEST = "ab" * 32
# Unpacked a thousand times as large.
_BOMB = zlib.compress(bytes(20_000_000))


def a_picture(kind: str = "JPEG", *, mode: str = "RGB", size: tuple[int, int] = (40, 30), **more: Any) -> bytes:
    out = BytesIO()
    Picture.new(mode, size, 120).save(out, kind, **more)
    return out.getvalue()


def _noise(side: int) -> Picture.Image:
    return Picture.effect_noise((side, side), 90).convert("RGB")


def _chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def _with_chunk(name: bytes, data: bytes) -> bytes:
    """Return a PNG with one more chunk behind its first."""
    png = a_picture("PNG")
    return png[:33] + _chunk(name, data) + png[33:]


def _that_says_it_is(width: int, height: int) -> bytes:
    """Return a small PNG whose head names another size."""
    png = a_picture("PNG")
    return png[:8] + _chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)) + png[33:]


def _metadata() -> dict[str, Any]:
    """Return what cameras and programs write beside a picture: place, device, software, words."""
    exif = Picture.Exif()
    exif[0x010F] = CANARY.decode()  # maker
    exif.get_ifd(0x8825)[29] = CANARY.decode()  # place: the date of the satellites
    return {"exif": exif.tobytes(), "xmp": CANARY}


def _png_with_words() -> bytes:
    words = PngInfo()
    words.add_text("Comment", CANARY.decode())
    words.add_itxt("XML:com.adobe.xmp", CANARY.decode())
    return a_picture("PNG", pnginfo=words)


def _polyglots() -> dict[str, bytes]:
    """Return pictures that are something else too, or carry what is no picture."""
    profile = CANARY + bytes(300)
    gif = a_picture("GIF", mode="P")
    return {
        "words of a camera": a_picture(**_metadata()),
        "words of a camera in a WebP": a_picture("WEBP", **_metadata()),
        "a comment in a JPEG": a_picture(comment=CANARY),
        "words in a PNG": _png_with_words(),
        "a chunk of one's own in a PNG": _with_chunk(b"teSt", CANARY),
        "a page behind a JPEG": a_picture() + CANARY,
        "a page behind a PNG": a_picture("PNG") + CANARY,
        "an archive behind a GIF": gif + b"PK\x03\x04" + CANARY,
        "a script that is a GIF": gif[:-1] + b"\x21\xfe" + bytes([len(CANARY)]) + CANARY + b"\0;",
        "a colour profile that is none": a_picture(icc_profile=profile),
        "a colour profile in a PNG": a_picture("PNG", icc_profile=profile),
    }


async def _clean_all(files: dict[str, bytes]) -> dict[str, bytes | NodeError]:
    """Return what becomes of each file: the cleaned picture, or the refusal."""

    async def clean(data: bytes) -> bytes | NodeError:
        try:
            return (await clean_picture(data, pixels=PIXELS))[1]
        except NodeError as error:
            return error

    return dict(zip(files, await asyncio.gather(*map(clean, files.values())), strict=True))


@pytest.fixture
async def corridor(databases: Databases, clock: FrozenClock) -> Any:
    async with a_corridor(databases, clock, limits={"upload_bytes": 4000, "image_pixels": 10_000}) as made:
        yield made


async def test_t52_nothing_but_the_picture_survives() -> None:
    files = _polyglots()
    assert all(CANARY in data for name, data in files.items() if name != "a colour profile in a PNG")

    cleaned = await _clean_all(files)

    refused = {name: result for name, result in cleaned.items() if isinstance(result, NodeError)}
    assert refused == {}
    for name, result in cleaned.items():
        assert isinstance(result, bytes)
        picture = Picture.open(BytesIO(result))
        assert picture.size == (40, 30), name
        assert not picture.getexif(), name
        assert picture.info.keys() & {"exif", "xmp", "icc_profile", "comment"} == set(), name
        assert b"canary" not in result, name


async def test_t52_what_is_no_jpeg_png_webp_or_gif_is_refused() -> None:
    svg = b'<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"><image href="https://evil.example/x"/></svg>'
    files = {
        "SVG": svg,
        "SVG with a head": b'<?xml version="1.0"?>\n' + svg,
        "SVG behind the mark of a GIF": b"GIF89a" + svg,
        "SVG behind the mark of a JPEG": b"\xff\xd8\xff" + svg,
        "PostScript": b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\nshowpage\n",
        "PDF": b"%PDF-1.7\n1 0 obj\n<<>>\nendobj\n",
        "TIFF": a_picture("TIFF"),
        "BMP": a_picture("BMP"),
        "ICO": a_picture("ICO"),
        "a post": b'{"type":"Note","content":"I am a picture"}',
        "a page": b"<!doctype html><title>x</title>",
        "the first half": a_picture()[:300],
        "nothing": b"",
    }

    cleaned = await _clean_all(files)

    assert {name: type(result) for name, result in cleaned.items()} == dict.fromkeys(files, Invalid)


async def test_t52_a_bomb_is_refused_or_never_goes_off() -> None:
    files = {
        "an enormous size": _that_says_it_is(60_000, 60_000),
        "one line more than is taken": _that_says_it_is(8000, 5001),
        "a size without its pixels": _that_says_it_is(6000, 6000),
        "a packed colour profile": _with_chunk(b"iCCP", b"x\0\0" + _BOMB),
        "packed words": _with_chunk(b"zTXt", b"x\0\0" + _BOMB),
    }

    cleaned = await _clean_all(files)

    assert {name: type(result) for name, result in cleaned.items()} == dict.fromkeys(files, Invalid)


async def test_t52_pixels_beyond_the_size_are_not_unpacked() -> None:
    png = a_picture("PNG")

    facts, cleaned = await clean_picture(png[:33] + _chunk(b"IDAT", _BOMB) + png[-12:], pixels=PIXELS)

    assert (facts.width, facts.height) == Picture.open(BytesIO(cleaned)).size == (40, 30)


async def test_t52_as_many_pixels_as_the_limit_says_are_taken_and_no_more() -> None:
    await clean_picture(a_picture("PNG", size=(100, 100)), pixels=10_000)

    with pytest.raises(Invalid):
        await clean_picture(a_picture("PNG", size=(100, 101)), pixels=10_000)


@pytest.mark.parametrize("kind", ["GIF", "WEBP"])
async def test_an_animation_becomes_its_first_picture(kind: str) -> None:
    out = BytesIO()
    first, *others = [Picture.new("RGB", (40, 30), colour) for colour in ("red", "green", "blue")]
    first.save(out, kind, save_all=True, append_images=others)

    _, cleaned = await clean_picture(out.getvalue(), pixels=PIXELS)

    picture = Picture.open(BytesIO(cleaned))
    assert getattr(picture, "n_frames", 1) == 1
    red, green, blue = picture.convert("RGB").getpixel((5, 5))  # type: ignore[misc]
    assert red > 200 > 50 > max(green, blue)


async def test_a_telephones_file_of_two_jpegs_becomes_one_jpeg() -> None:
    out = BytesIO()
    _noise(60).save(out, "MPO", save_all=True, append_images=[_noise(60)])

    facts, cleaned = await clean_picture(out.getvalue(), pixels=PIXELS)

    assert facts.media_type == "image/jpeg"
    assert len(cleaned) < len(out.getvalue())


async def test_a_picture_is_turned_upright_before_the_note_that_says_so_is_taken_away() -> None:
    exif = Picture.Exif()
    exif[0x0112] = 6  # a quarter turn

    facts, _ = await clean_picture(a_picture(exif=exif.tobytes()), pixels=PIXELS)

    assert (facts.width, facts.height) == (30, 40)


async def test_t52_a_file_is_named_by_its_hash_whatever_its_owner_says(corridor: Corridor) -> None:
    core = corridor.lone.core

    image = await add_image(core, owner=corridor.mia, data=a_picture(), alt="../../../keys/node.key\0\u202egpj")

    files = [path.relative_to(core.data).as_posix() for path in core.media_folder.rglob("*") if path.is_file()]
    assert files == [f"media/{image.sha256[:2]}/{image.sha256}"]
    assert image.alt == "../../../keys/node.keygpj"  # words for people, and nothing else


@pytest.mark.parametrize(
    "digest",
    [
        "../" * 21 + "x",
        "/" + "a" * 63,
        "..%2f" + "a" * 59,
        "AB" * 32,
        "ab" * 31,
        "ab" * 33,
        "ab" * 31 + "a\n",
        "ａ" * 64,
        None,
        7,
        ["ab" * 32],
    ],
)
def test_t52_a_hash_of_elsewhere_that_is_none_names_no_file(digest: object) -> None:
    attachment = {"type": "Image", "mediaType": "image/png", "url": "https://friend.example/media/one", "name": "x"}

    assert read_attachment({**attachment, "digestSha256": digest}) is None
    assert read_attachment({**attachment, "digestSha256": _DIGEST}) is not None


@pytest.mark.parametrize("media_type", ["image/svg+xml", "text/html", "application/activity+json", "image/tiff", None])
def test_t52_what_elsewhere_calls_no_picture_is_none(media_type: str | None) -> None:
    attachment = {"url": "https://friend.example/media/one", "digestSha256": _DIGEST, "mediaType": media_type}

    assert read_attachment(attachment) is None


@pytest.mark.parametrize(
    "begin", [b"<svg", b"<?xml", b"%PDF", b"BM", b"II*\0", b"{", b"RIFF\0\0\0\0AVI ", b"\xff\xd8", b""]
)
def test_t52_bytes_of_elsewhere_are_kept_as_a_jpeg_png_webp_or_gif_only(begin: bytes) -> None:
    assert sniff_picture(begin + CANARY) is None
    assert {sniff_picture(a_picture(kind)) for kind in ("JPEG", "PNG", "WEBP", "GIF")} == set(MEDIA_TYPES)


async def test_t52_a_refused_file_leaves_nothing(corridor: Corridor) -> None:
    before = await corridor.effects()

    for data, error in (
        (b"<svg/>", Invalid),
        (_that_says_it_is(101, 100), Invalid),
        (a_picture() + bytes(4000), TooLarge),
    ):
        with pytest.raises(error):
            await add_image(corridor.lone.core, owner=corridor.mia, data=data, alt="")

    assert await corridor.effects() == before
    assert [path for path in corridor.lone.core.media_folder.rglob("*") if path.is_file()] == []


async def test_a_picture_that_grew_beyond_the_limit_is_refused_for_no_peer_would_fetch_it(corridor: Corridor) -> None:
    out = BytesIO()
    _noise(90).save(out, "JPEG", quality=5)
    assert len(out.getvalue()) <= 4000

    with pytest.raises(TooLarge):
        await add_image(corridor.lone.core, owner=corridor.mia, data=out.getvalue(), alt="")
