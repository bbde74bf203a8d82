"""From values to colours: viridis for all pictures, in a terminal and in a PNG."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]
Floats = npt.NDArray[np.float64]
Rgb = npt.NDArray[np.uint8]

# No colour of viridis is near it, also to the colour-blind.
NAN_COLOUR = (255, 0, 255)

# Equal steps look equally large, in grey too. Its authors gave it away (CC0): red, green, blue.
_VIRIDIS = bytes.fromhex(
    "44015444025544035745055845065a45085b46095c460b5e460c5f460e61470f62471163471265471466471567"
    "47166947186a48196b481a6c481c6e481d6f481e70482071482172482273482374472575472676472777472878"
    "472a79472b7a472c7b462d7c462f7c46307d46317e45327f45347f453580453681443781443982433a83433b83"
    "433c84423d84423e854240854141864142864043874044873f45873f47883e48883e49893d4a893d4b893d4c89"
    "3c4d8a3c4e8a3b508a3b518a3a528b3a538b39548b39558b38568b38578c37588c37598c365a8c365b8c355c8c"
    "355d8c345e8d345f8d33608d33618d32628d32638d31648d31658d31668d30678d30688d2f698d2f6a8d2e6b8e"
    "2e6c8e2e6d8e2d6e8e2d6f8e2c708e2c718e2c728e2b738e2b748e2a758e2a768e2a778e29788e29798e287a8e"
    "287a8e287b8e277c8e277d8e277e8e267f8e26808e26818e25828e25838d24848d24858d24868d23878d23888d"
    "23898d22898d228a8d228b8d218c8d218d8c218e8c208f8c20908c20918c1f928c1f938b1f948b1f958b1f968b"
    "1e978a1e988a1e998a1e998a1e9a891e9b891e9c891e9d881e9e881e9f881ea0871fa1871fa2861fa38620a485"
    "20a58521a68521a78422a78423a88323a98224aa8225ab8126ac8127ad8028ae7f29af7f2ab07e2bb17d2cb17d"
    "2eb27c2fb37b30b47a32b57a33b67935b77836b87738b97639b9763bba753dbb743ebc7340bd7242be7144be70"
    "45bf6f47c06e49c16d4bc26c4dc26b4fc36951c46853c56755c66657c66559c7645bc8625ec96160c96062ca5f"
    "64cb5d67cc5c69cc5b6bcd596dce5870ce5672cf5574d05477d05279d1517cd24f7ed24e81d34c83d34b86d449"
    "88d5478bd5468dd64490d64392d74195d73f97d83e9ad83c9dd93a9fd938a2da37a5da35a7db33aadb32addc30"
    "afdc2eb2dd2cb5dd2bb7dd29bade27bdde26bfdf24c2df22c5df21c7e01fcae01ecde01dcfe11cd2e11bd4e11a"
    "d7e219dae218dce218dfe318e1e318e4e318e7e419e9e419ece41aeee51bf1e51cf3e51ef6e61ff8e621fae622"
    "fde724"
)
_TABLE: Rgb = np.frombuffer(_VIRIDIS + bytes(NAN_COLOUR), np.uint8).reshape(-1, 3)
_LEVELS = len(_TABLE) - 1


@dataclass(frozen=True)
class Scale:
    """Which value has the first colour, and which the last.

    Attributes:
        low: The smallest finite value; NaN where there is none.
        high: The largest.
    """

    low: float
    high: float

    @classmethod
    def of(cls, *maps: Array) -> Scale:
        """The scale of maps that are shown together."""
        finite = [values[np.isfinite(values)] for values in maps]
        known = [values for values in finite if values.size]
        if not known:
            return cls(float("nan"), float("nan"))
        return cls(min(float(v.min()) for v in known), max(float(v.max()) for v in known))

    def shares(self, values: Array) -> Floats:
        """Where values stand between low and high.

        Args:
            values: Numbers of any shape.

        Returns:
            0 to 1 in the same shape, NaN where they are. What lies outside has the nearest end,
            infinities too; where low is high, all that is not above it has 0.
        """
        wide = np.asarray(values, np.float64)
        with np.errstate(all="ignore"):
            # By halves, because the distance of two float64 may be none.
            span = self.high / 2 - self.low / 2
            shares = (wide / 2 - self.low / 2) / span if span > 0 else wide > self.low
            shares = np.where(np.isposinf(wide), 1.0, np.where(np.isneginf(wide), 0.0, shares))
            clipped: Floats = np.where(np.isnan(wide), np.nan, np.clip(shares, 0.0, 1.0))
        return clipped


def viridis(shares: Array) -> Rgb:
    """The colours of shares.

    Args:
        shares: 0 (dark) to 1 (bright), of any shape; what is outside has the nearest end.

    Returns:
        Red, green and blue, 0 to 255, on one more axis; `NAN_COLOUR` for NaN.
    """
    known = np.clip(np.nan_to_num(np.asarray(shares, np.float64)), 0.0, 1.0)
    levels = np.floor(known * (_LEVELS - 1) + 0.5).astype(np.intp)
    return _TABLE[np.where(np.isnan(shares), _LEVELS, levels)]
