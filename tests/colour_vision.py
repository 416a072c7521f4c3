"""How colours look to people who lack a kind of cone, and how far two colours lie apart."""

import math

MACHADO = {
    "usual": ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0)),
    "protanopia": (
        (0.152286, 1.052583, -0.204868),
        (0.114503, 0.786281, 0.099216),
        (-0.003882, -0.048116, 1.051998),
    ),
    "deuteranopia": (
        (0.367322, 0.860646, -0.227968),
        (0.280085, 0.672501, 0.047413),
        (-0.011820, 0.042940, 0.968881),
    ),
}
"""Of linear RGB, at full severity: Machado, Oliveira and Fernandes 2009, doi:10.1109/TVCG.2009.113."""
TO_XYZ = (
    (0.4124564, 0.3575761, 0.1804375),
    (0.2126729, 0.7151522, 0.0721750),
    (0.0193339, 0.1191920, 0.9503041),
)
WHITE = (0.95047, 1.0, 1.08883)


def linear(parts):
    """Linear shares of red, green and blue from 0 … 255."""
    shares = (part / 255 for part in parts)
    return [share / 12.92 if share <= 0.04045 else ((share + 0.055) / 1.055) ** 2.4 for share in shares]


def seen(parts, vision):
    """CIELAB of a colour of 0 … 255 as it is seen by people of a colour vision."""
    shares = [min(1.0, max(0.0, share)) for share in _times(MACHADO[vision], linear(parts))]
    x, y, z = (_cube_root(part / white) for part, white in zip(_times(TO_XYZ, shares), WHITE, strict=True))
    return 116 * y - 16, 500 * (x - y), 200 * (y - z)


def difference(one, other):
    """CIEDE2000 of two colours in CIELAB: Sharma, Wu and Dalal 2005, doi:10.1002/col.20070. 1 is barely seen."""
    (l1, a1, b1), (l2, a2, b2) = one, other
    grey = 0.5 * (1 - _share_of_25((math.hypot(a1, b1) + math.hypot(a2, b2)) / 2))
    c1, c2 = math.hypot(a1 * (1 + grey), b1), math.hypot(a2 * (1 + grey), b2)
    h1, h2 = (math.degrees(math.atan2(b, a * (1 + grey))) % 360 for a, b in ((a1, b1), (a2, b2)))
    turn = (h2 - h1 + 180) % 360 - 180 if c1 * c2 else 0.0
    hue = h1 + turn / 2 if c1 * c2 else h1 + h2
    light, chroma = (l1 + l2) / 2, (c1 + c2) / 2
    waves = ((-0.17, 1, 30), (0.24, 2, 0), (0.32, 3, -6), (-0.20, 4, 63))
    t = 1 + sum(size * math.cos(math.radians(times * hue - shift)) for size, times, shift in waves)
    by_light = (l2 - l1) / (1 + 0.015 * (light - 50) ** 2 / math.sqrt(20 + (light - 50) ** 2))
    by_chroma = (c2 - c1) / (1 + 0.045 * chroma)
    by_hue = 2 * math.sqrt(c1 * c2) * math.sin(math.radians(turn / 2)) / (1 + 0.015 * chroma * t)
    blue = 60 * math.exp(-((((hue - 275 + 180) % 360 - 180) / 25) ** 2))
    rotation = -2 * _share_of_25(chroma) * math.sin(math.radians(blue))
    return math.sqrt(by_light**2 + by_chroma**2 + by_hue**2 + rotation * by_chroma * by_hue)


def _times(matrix, parts):
    return [sum(a * b for a, b in zip(row, parts, strict=True)) for row in matrix]


def _cube_root(share):
    return share ** (1 / 3) if share > 216 / 24389 else (24389 / 27 * share + 16) / 116


def _share_of_25(chroma):
    return math.sqrt(chroma**7 / (chroma**7 + 25**7))
