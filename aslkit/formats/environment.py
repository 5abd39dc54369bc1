"""Python, system and package versions with which a model was trained."""

from msgspec import Struct


class Environment(Struct, kw_only=True):
    """Where a model was trained: Python version, system, CPU cores, GPU ("" without one), versions (null if absent)."""

    python: str = ""
    system: str = ""
    cores: int | None = None
    gpu: str = ""
    packages: dict[str, str | None] = {}
