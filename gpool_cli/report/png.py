"""PNG: colours as a file, and over the photograph that a map was made of. Needs the extra plot."""

from __future__ import annotations

import io
import os
import struct
import warnings
from typing import Any

import numpy as np

from gpool_cli.errors import InputError, UsageError
from gpool_cli.printable import printable
from gpool_cli.report.colours import Rgb

# Others of Pillow's formats start programs, or are none of a camera.
_PHOTOGRAPHS = ("BMP", "GIF", "JPEG", "PNG", "PPM", "TIFF", "WEBP")

# What Pillow's decoders raise on damaged files.
_DAMAGE = (OSError, SyntaxError, ValueError, ArithmeticError, LookupError, TypeError, struct.error)


def pillow() -> Any:
    """Pillow's ``PIL.Image``.

    Raises:
        UsageError: It is not installed.
    """
    try:
        import PIL.Image
    except ImportError as error:
        raise UsageError(
            "pictures need Pillow, which is not installed", "pip install 'gpool[plot]'"
        ) from error
    return PIL.Image


def encode_png(pixels: Rgb) -> bytes:
    """The bytes of a PNG; the same pixels give the same bytes.

    Args:
        pixels: Shape (height, width, 3).

    Raises:
        UsageError: Pillow is not installed.
    """
    file = io.BytesIO()
    pillow().fromarray(np.ascontiguousarray(pixels, np.uint8)).save(file, "PNG")
    return file.getvalue()


def read_photograph(path: str) -> Rgb:
    """A photograph as a camera's owner sees it: turned as it says, in red, green and blue.

    Args:
        path: A JPEG, PNG, TIFF, WebP, GIF, BMP or PPM.

    Returns:
        Shape (height, width, 3), 0 to 255.

    Raises:
        InputError: It is not there, is no photograph, or is too large.
        UsageError: Pillow is not installed.
    """
    image = pillow()
    from PIL import ImageOps

    if os.path.exists(path) and not os.path.isfile(path):
        raise InputError(f"{printable(path)}: is not a regular file", "name a photograph")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            # Pillow only warns of the smaller ones of those that are too large.
            warnings.simplefilter("error", image.DecompressionBombWarning)
            with image.open(path, formats=_PHOTOGRAPHS) as opened:
                turned = ImageOps.exif_transpose(opened)
                return np.asarray(turned.convert("RGB"), np.uint8)
    except (image.DecompressionBombWarning, image.DecompressionBombError) as error:
        raise InputError(
            f"{printable(path)}: has too many pixels for a photograph", "make it smaller"
        ) from error
    except image.UnidentifiedImageError as error:
        raise InputError(
            f"{printable(path)}: is no photograph",
            "JPEG, PNG, TIFF, WebP, GIF, BMP and PPM are read",
        ) from error
    except _DAMAGE as error:
        said = getattr(error, "strerror", None) or printable(str(error))
        raise InputError(f"{printable(path)}: can't be read: {said}", "name another") from error


def blended(heat: Rgb, photograph: Rgb, opacity: float = 0.5) -> Rgb:
    """A heat map over a photograph of the same size.

    Args:
        heat: Shape (height, width, 3).
        photograph: The same shape.
        opacity: How much of each pixel is the heat map, 0 to 1.
    """
    mixed = opacity * heat.astype(np.float64) + (1 - opacity) * photograph.astype(np.float64)
    return np.floor(mixed + 0.5).astype(np.uint8)
