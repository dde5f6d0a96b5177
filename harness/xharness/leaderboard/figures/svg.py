"""Figures as SVG files that are the same bytes whenever they are drawn by one matplotlib release.

Each file says which release drew it and carries the digest of what it shows. Another release may
place a letter elsewhere; then the digests are compared, and the file is left as it is.
"""

from __future__ import annotations

import io
import re
from typing import Any

from xharness.digests import digest
from xharness.leaderboard.figures import style
from xharness.leaderboard.figures.figure import Figure

_DRAWN_BY = re.compile(rb"Matplotlib v([0-9][^,<\s]*)")
_SHOWS = re.compile(rb"data ([0-9a-f]{32})")
_FONTS = "system-ui, 'Segoe UI', 'Noto Sans', Helvetica, Arial"


def svg(figure: Figure) -> bytes:
    """The drawing; its text stays text, in the fonts of the machine that shows it."""
    import matplotlib
    from matplotlib.backends.backend_svg import FigureCanvasSVG
    from matplotlib.figure import Figure as Canvas

    with matplotlib.rc_context():
        # A user's own matplotlibrc must not change a committed drawing.
        matplotlib.rcdefaults()
        matplotlib.rcParams.update(style.SETTINGS)
        # Without pyplot, which would pick a window system and keep every figure.
        canvas = Canvas(layout="constrained")
        FigureCanvasSVG(canvas)
        figure.draw(canvas, figure.data)
        file = io.BytesIO()
        canvas.savefig(file, format="svg", metadata=_metadata(figure))
    return _dressed(file.getvalue().decode(), figure).encode()


def differs(drawing: bytes, figure: Figure) -> str | None:
    """How a committed drawing differs from what would be drawn; None where it does not.

    Drawn by another release of matplotlib, it is compared by what it shows.
    """
    from matplotlib import __version__

    release = _first(_DRAWN_BY, drawing)
    if release == __version__:
        return None if drawing == svg(figure) else "is not what would be drawn"
    if release is None or _first(_SHOWS, drawing) != _shows(figure):
        return "shows other numbers"
    return None


def _first(pattern: re.Pattern[bytes], text: bytes) -> str | None:
    match = pattern.search(text)
    return match[1].decode() if match else None


def _shows(figure: Figure) -> str:
    # Of the values, not of the drawing: letters move with the release, numbers don't.
    return digest([figure.title, figure.alt, figure.data])


def _metadata(figure: Figure) -> dict[str, Any]:
    """Title, and the digest of what is shown; no date."""
    return {"Title": figure.title, "Description": f"data {_shows(figure)}", "Date": None}


def _dressed(text: str, figure: Figure) -> str:
    """With a role and a name for screen readers, and the colours of a dark page."""
    from xml.sax.saxutils import quoteattr

    start = f'<svg role="img" aria-label={quoteattr(figure.alt)} '
    text = text.replace("<svg ", start, 1).replace("'DejaVu Sans'", _FONTS)
    body = text.index("<defs>")
    return f"{text[:body]}<style>{_dark()}</style>\n {text[body:]}"


def _dark() -> str:
    """Rules that win over the colours in the drawing, where the reader's page is dark."""
    dark_colours = style.DARK | style.COLOURS
    rules = "".join(
        f'[style*="{paint}: {light}"]{{{paint}:{dark}!important}}'
        for light, dark in dark_colours.items()
        for paint in ("fill", "stroke")
    )
    return f"@media(prefers-color-scheme:dark){{{rules}}}"
