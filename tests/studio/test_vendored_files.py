"""The copy of lit-html is exactly what its authors published as version 3.3.3."""

import hashlib
from pathlib import Path

import aslkit.studio

FOLDER = Path(aslkit.studio.__file__).parent / "page" / "vendor" / "lit-html"

SHA256 = {
    "directive-helpers.js": "f7fb1154b8f72ed2cc08b05eaeed71c99270e9ad2d48620ed24688a1af4c2b62",
    "directive.js": "3344c4f41c69cd0701d3937e8f9ef90bd845614bf6456d0b8314b7c51d415b9d",
    "directives/repeat.js": "083140026ecd8665fedd15b17769f9d516252a9f1502f1e91e6967686ee82626",
    "lit-html.js": "b878e7f95dec8a9b6e9b217faca6b6a11bad82ebc44c0caa77419ed83edd81f2",
}


def test_files_are_unchanged_and_have_their_licence() -> None:
    found = {path.relative_to(FOLDER).as_posix(): path for path in FOLDER.rglob("*.js")}
    assert {name: hashlib.sha256(path.read_bytes()).hexdigest() for name, path in found.items()} == SHA256
    assert "BSD 3-Clause" in (FOLDER / "LICENSE").read_text()
