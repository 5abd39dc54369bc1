"""Validates what a page reports about its camera, which can be anything."""

from typing import Any, Final

SETTINGS: Final = ("width", "height", "frameRate", "aspectRatio", "facingMode")
"""Stored camera settings. The device id is excluded, because it could identify the user."""

MAX_CHARS: Final = 120
"""Maximum length of a stored text."""

_MAX_NUMBER: Final = 1e9


def client_camera_info(label: object, settings: object) -> dict[str, Any]:
    """Return label and settings of a camera in a form that can be stored in session.json.

    Args:
        label: `MediaStreamTrack.label`; anything but text becomes "unknown".
        settings: `MediaStreamTrack.getSettings()`. Only keys in SETTINGS whose value is a number or text are kept.
    """
    reported = settings if isinstance(settings, dict) else {}
    accepted = {key: value for key in SETTINGS if (value := _sanitize(reported.get(key))) is not None}
    return {"label": _sanitize(label) or "unknown", "settings": accepted}


def _sanitize(value: object) -> str | int | float | None:
    if isinstance(value, str):
        return "".join(character for character in value[:MAX_CHARS] if character.isprintable())
    # The comparison also rejects NaN and Infinity, which json.loads accepts.
    return value if isinstance(value, int | float) and abs(value) < _MAX_NUMBER else None
