"""What a page tells of its camera, cut down to what a session may keep: a page can send anything."""

from typing import Any, Final

SETTINGS: Final = ("width", "height", "frameRate", "aspectRatio", "facingMode")
"""What is kept of a camera's settings; the device's id, which follows its owner around, is none of it."""

MAX_CHARS: Final = 120
"""Characters."""

_LARGEST: Final = 1e9


def client_camera_info(label: object, settings: object) -> dict[str, Any]:
    """Label and settings, fit for session.json.

    Args:
        label: as `MediaStreamTrack.label`; what is no text becomes "unknown".
        settings: as `MediaStreamTrack.getSettings()`; only those of SETTINGS that are numbers or text stay.
    """
    given = settings if isinstance(settings, dict) else {}
    kept = {key: value for key in SETTINGS if (value := _plain(given.get(key))) is not None}
    return {"label": _plain(label) or "unknown", "settings": kept}


def _plain(value: object) -> str | int | float | None:
    if isinstance(value, str):
        return "".join(character for character in value[:MAX_CHARS] if character.isprintable())
    return value if isinstance(value, int | float) and abs(value) < _LARGEST else None
