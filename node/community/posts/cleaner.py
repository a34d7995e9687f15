"""The cleaner: a process that reads a picture on stdin and writes it anew on stdout, with one line of JSON before it.

Run by `uploads` with the largest number of pixels as its argument; ends with 1 when it cannot. Imports nothing of ours.
"""

from __future__ import annotations

import io
import json
import resource
import sys

from PIL import Image, ImageOps

_MEMORY_BYTES = 1_500_000_000
_CPU_SECONDS = 20
_FORMATS = ("JPEG", "PNG", "WEBP", "GIF")
_TYPES = {"JPEG": "image/jpeg", "PNG": "image/png", "WEBP": "image/webp"}


def clean(data: bytes, pixels: int) -> tuple[dict[str, object], bytes]:
    """Return what the picture is, and its bytes encoded anew: turned upright, without any metadata.

    Raises:
        Exception: Whatever the decoder raises; the process ends with 1.
    """
    Image.MAX_IMAGE_PIXELS = pixels
    with Image.open(io.BytesIO(data), formats=_FORMATS) as opened:
        if opened.width * opened.height > pixels:
            raise ValueError("too many pixels")
        kind = opened.format if opened.format in _TYPES else "PNG"
        profile = opened.info.get("icc_profile")
        upright = ImageOps.exif_transpose(opened)
        has_alpha = upright.mode in ("RGBA", "LA", "PA") or "transparency" in upright.info
        picture = upright.convert("RGBA" if has_alpha and kind != "JPEG" else "RGB")
    bare = Image.frombytes(picture.mode, picture.size, picture.tobytes())
    out = io.BytesIO()
    options = {"icc_profile": profile} if isinstance(profile, bytes) and len(profile) < 100_000 else {}
    if kind == "JPEG":
        bare.save(out, "JPEG", quality=88, optimize=True, **options)
    else:
        bare.save(out, kind, **options)
    return {"media_type": _TYPES[kind], "width": bare.width, "height": bare.height}, out.getvalue()


def main() -> int:
    """Clean stdin to stdout."""
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY_BYTES, _MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CPU, (_CPU_SECONDS, _CPU_SECONDS))
    try:
        facts, cleaned = clean(sys.stdin.buffer.read(), int(sys.argv[1]))
    except Exception:
        return 1
    sys.stdout.buffer.write(json.dumps(facts).encode() + b"\n" + cleaned)
    return 0


if __name__ == "__main__":
    sys.exit(main())
