"""MediaPipe for browsers, which the exported page contains: the npm package @mediapipe/tasks-vision, packed to 2 MB.

The archive in the folder `mediapipe_web` is built again from the npm package with

    npm pack @mediapipe/tasks-vision@0.10.21
    python -m aslkit.live.export.tasks_vision mediapipe-tasks-vision-0.10.21.tgz
"""

import base64
import hashlib
import io
import lzma
import sys
import tarfile
from importlib.metadata import files
from pathlib import Path
from typing import Final

from aslkit.core.errors import AslkitError, InputError

VERSION: Final = "0.10.21"
"""Version of @mediapipe/tasks-vision, the same as that of the mediapipe package."""

NPM_INTEGRITY: Final = "TuhKH+credq4zLksGbYrnvJ1aLIWMc5r0UHwzxzql4BHECJwIAoBR61ZrqwGOW6ZmSBIzU1t4VtKj8hbxFaKeA=="
"""SHA-512 of the npm package in base64, as published by npm (`npm view @mediapipe/tasks-vision@0.10.21 dist`)."""

ARCHIVE: Final = Path(__file__).parent / "mediapipe_web" / f"tasks-vision-{VERSION}.tar.xz"

FILES: Final = {
    # Some web servers do not know that .mjs is JavaScript, and browsers then refuse it.
    "vision_bundle.js": "package/vision_bundle.mjs",
    "vision_wasm_internal.js": "package/wasm/vision_wasm_internal.js",
    "vision_wasm_internal.wasm": "package/wasm/vision_wasm_internal.wasm",
}
"""Files of the archive, and their names in the npm package. Its second build, for browsers without SIMD instructions
(before 2021; Safari before 2023), is left out."""


def unpack(folder: Path) -> None:
    """Write MediaPipe's files and their licence to a new folder.

    Raises:
        AslkitError: the archive is missing or damaged.
    """
    try:
        folder.mkdir()
        with tarfile.open(ARCHIVE) as archive:
            for name in archive.getnames():
                # With the current time: browsers cache a file dated 1970 for years without asking whether it changed.
                (folder / name).write_bytes(_read(archive, name))
    except (OSError, EOFError, tarfile.TarError, lzma.LZMAError) as error:
        raise AslkitError(f"MediaPipe for browsers cannot be unpacked ({error}). Install aslkit again.") from error


def pack(npm_package: Path, to: Path = ARCHIVE) -> None:
    """Write the archive from the npm package, with the licence from the mediapipe package.

    Args:
        npm_package: .tgz file, as downloaded by `npm pack`.
        to: archive to write. The same package gives the same archive.

    Raises:
        InputError: it is not the npm package of VERSION, as published.
    """
    content = npm_package.read_bytes()
    if base64.b64encode(hashlib.sha512(content).digest()).decode() != NPM_INTEGRITY:
        raise InputError(f"{npm_package} is not @mediapipe/tasks-vision {VERSION} as published by npm.")
    packed = io.BytesIO()
    with (
        tarfile.open(fileobj=io.BytesIO(content)) as package,
        tarfile.open(fileobj=packed, mode="w", format=tarfile.USTAR_FORMAT) as archive,
    ):
        _add(archive, "LICENSE", _read_licence())
        for name, original in FILES.items():
            _add(archive, name, _read(package, original))
    to.write_bytes(lzma.compress(packed.getvalue(), preset=9 | lzma.PRESET_EXTREME))


def _read(archive: tarfile.TarFile, name: str) -> bytes:
    file = archive.extractfile(name)
    assert file is not None  # no folder
    return file.read()


def _add(archive: tarfile.TarFile, name: str, content: bytes) -> None:
    member = tarfile.TarInfo(name)  # no owner and no modification time
    member.size = len(content)
    archive.addfile(member, io.BytesIO(content))


def _read_licence() -> bytes:
    """Return the licence of the mediapipe package, because the npm package only names it."""
    path = next(path for path in files("mediapipe") or [] if path.name == "LICENSE")
    return Path(str(path.locate())).read_bytes()


if __name__ == "__main__":
    pack(Path(sys.argv[1]))
