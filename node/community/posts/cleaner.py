"""The cleaner: a process that reads a picture on stdin and writes it anew on stdout, with one line of JSON before it.

Run by `uploads` with the largest number of pixels as its argument; ends with 1 when it cannot. Imports nothing of ours.
"""

from __future__ import annotations

import io
import json
import resource
import sys

from PIL import Image, ImageCms, ImageOps

_MEMORY_BYTES = 1_500_000_000
_CPU_SECONDS = 20
_FORMATS = ("JPEG", "PNG", "WEBP", "GIF")
_TYPES = {"JPEG": "image/jpeg", "PNG": "image/png", "WEBP": "image/webp"}
# Telephones put several JPEGs into one file, an MPO; the first is the picture. All else is written as PNG.
_KINDS = {"JPEG": "JPEG", "MPO": "JPEG", "WEBP": "WEBP"}
_HAVE_PROFILES = ("RGB", "RGBA", "CMYK", "L")


def clean(data: bytes, pixels: int) -> tuple[dict[str, object], bytes]:
    """Return what the picture is, and its bytes encoded anew: turned upright, without any metadata.

    Raises:
        Exception: Whatever the decoder raises; the process ends with 1.
    """
    Image.MAX_IMAGE_PIXELS = pixels
    with Image.open(io.BytesIO(data), formats=_FORMATS) as opened:
        if opened.width * opened.height > pixels:
            raise ValueError("too many pixels")
        kind = _KINDS.get(opened.format or "", "PNG")
        upright = _in_srgb(ImageOps.exif_transpose(opened), opened.info.get("icc_profile"))
        has_alpha = upright.mode in ("RGBA", "LA", "PA") or "transparency" in upright.info
        picture = upright.convert("RGBA" if has_alpha and kind != "JPEG" else "RGB")
    bare = Image.frombytes(picture.mode, picture.size, picture.tobytes())
    out = io.BytesIO()
    if kind == "JPEG":
        bare.save(out, "JPEG", quality=88, optimize=True)
    else:
        bare.save(out, kind)
    return {"media_type": _TYPES[kind], "width": bare.width, "height": bare.height}, out.getvalue()


def _in_srgb(picture: Image.Image, profile: object) -> Image.Image:
    """Return a picture with the colours that its profile means. The profile goes: it may name a device, or hold anything."""
    if not isinstance(profile, bytes) or picture.mode not in _HAVE_PROFILES or "transparency" in picture.info:
        return picture
    mode = "RGBA" if picture.mode == "RGBA" else "RGB"
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        return ImageCms.profileToProfile(picture, source, ImageCms.createProfile("sRGB"), outputMode=mode) or picture
    except (ImageCms.PyCMSError, OSError):
        return picture


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
