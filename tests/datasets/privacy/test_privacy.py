import io
import json
import os
import re
import shutil
import subprocess
import sys
import unicodedata
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from aslkit.cli.main import main
from aslkit.core.errors import AslkitError, InputError
from aslkit.core.workspace import Workspace
from aslkit.datasets import parquet_store
from aslkit.datasets.merging.merge import MergeConfig, MergeInput, merge_datasets
from aslkit.datasets.privacy import preparation
from aslkit.datasets.privacy import prepare as prepare_module
from aslkit.datasets.privacy.config import DEFAULT_CROP_SIZE, PrivacyConfig
from aslkit.datasets.privacy.face_detector import MIN_SCORE, FaceBox, FaceDetector
from aslkit.datasets.privacy.hand_crop import crop_box
from aslkit.datasets.privacy.hand_mask import hand_mask
from aslkit.datasets.privacy.pixelate import pixelate_faces
from aslkit.datasets.privacy.prepare import prepare_for_sharing
from aslkit.datasets.privacy.pseudonyms import Pseudonyms
from aslkit.datasets.sharing import manifest
from aslkit.datasets.sharing.push import stage_upload, upload_staged
from aslkit.datasets.verify.run import verify_dataset
from aslkit.synthetic import Signer, SyntheticSession, render_frames
from aslkit.train.data.samples import load_samples
from aslkit.vision.images import Frame, decode_image, encode_jpeg, encode_png, perceptual_hash, pixel_hash
from aslkit.vision.preprocess import PreprocessConfig, pixel_features
from tests.datasets import factories

CROP, LANDMARKS, NAMES = PrivacyConfig(crop=True), PrivacyConfig(landmarks_only=True), PrivacyConfig(pseudonyms=True)


@pytest.fixture(autouse=True)
def no_detector(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Replace the face detector in tests without "face" in their name, because MediaPipe takes a second to start."""
    if "face" not in request.node.name:

        class FakeDetector:
            def find_faces(self, frame: Frame, landmarks: Any, *, min_score: float) -> list[FaceBox]:
                return []

            def close(self) -> None:
                pass

        monkeypatch.setattr(preparation, "FaceDetector", FakeDetector)


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three signers, with two augmented copies, one of a frame without a hand. Tests must not modify it."""
    rows = {split: factories.rows_of(split, count) for split, count in (("train", 24), ("validation", 4), ("test", 8))}
    for number, parent in ((500, 0), (501, 3)):
        original = rows["train"][parent]
        copy = factories.row(number, original["signer"], parent=original["sha256"], label=parent)
        rows["train"].append(copy | {"landmarks": rows["train"][0]["landmarks"], "hand_box": [0.1, 0.2, 0.3, 0.9]})
    for split in rows.values():
        for row in split:
            row |= {"camera": f"{row['signer']}'s telephone", "consent": f"I, {row['signer'].title()}, agree."}
    folder = factories.write(tmp_path_factory.mktemp("here") / "adas", rows, summary={"notes": ["Ask ADA for more."]})
    for name in (parquet_store.REJECTED_FILE, parquet_store.FLAGGED_FILE):
        finding = {"path": "ada/one/A/0.jpg", "letter": "A", "signer": "ada", "session": "one", "reason": "cut-off"}
        other = finding | {"path": "ada/one/B/Ada at home.jpg", "detail": "same pixels as ada/one/A/0.jpg"}
        parquet_store.write_findings(folder / name, [finding | {"detail": "of ada"}, other])
    (folder / "report.html").write_text("<img> of ada")
    return folder


def rows_in(folder: Path) -> list[dict[str, Any]]:
    return parquet_store.read_dataset(folder).to_pylist()  # type: ignore[no-any-return]


def prepare(dataset: Path, target: Path, config: PrivacyConfig, names: Pseudonyms | None = None) -> Path:
    prepare_for_sharing(dataset, target, name="mine", config=config, names=names)
    return target


def test_crop_matches_landmarks_of_row(dataset: Path, tmp_path: Path) -> None:
    before = {row["image"]["path"].rpartition(".")[0]: row for row in rows_in(dataset)}
    after = rows_in(prepare(dataset, tmp_path / "out", CROP))
    assert after
    for row in after:
        old = before[row["image"]["path"].rpartition(".")[0]]
        frame, original = decode_image(row["image"]["bytes"]), decode_image(old["image"]["bytes"])
        assert frame.shape[:2] == (row["height"], row["width"])
        assert row["sha256"] == pixel_hash(frame)
        assert row["phash"] == perceptual_hash(frame)
        x0, y0, x1, y1 = crop_box(old["hand_box"], old["width"], old["height"])
        difference = np.abs(frame.astype(int) - original[y0:y1, x0:x1]).mean()
        is_png = row["image"]["path"].endswith(".png")
        assert difference == 0 if is_png else difference < 15  # JPEG artefacts of small, colourful images
        new_landmarks = np.array(row["landmarks"]).reshape(21, 3) * (x1 - x0, y1 - y0, x1 - x0) + (x0, y0, 0)
        old_landmarks = np.array(old["landmarks"]).reshape(21, 3) * (old["width"], old["height"], old["width"])
        np.testing.assert_allclose(new_landmarks, old_landmarks, atol=1e-3)


@pytest.mark.parametrize("config", [CROP, LANDMARKS])
def test_prepared_dataset_is_valid(dataset: Path, tmp_path: Path, config: PrivacyConfig) -> None:
    before = {each.kind for each in verify_dataset(dataset, processes=0).findings}
    folder = prepare(dataset, tmp_path / "out", config)
    assert {each.kind for each in verify_dataset(folder, processes=0).findings} <= before


def test_training_input_is_the_same_for_crops(dataset: Path, tmp_path: Path) -> None:
    """Landmarks are equal, and pixels are equal except for JPEG artefacts."""
    after = prepare(dataset, tmp_path / "out", CROP)
    raw = {}
    for folder in (dataset, after):
        samples = load_samples(folder, PreprocessConfig(kind="landmarks"))
        raw[folder] = samples.hands[samples.hand_found & ~samples.is_copy]
    np.testing.assert_allclose(raw[after], raw[dataset], atol=2e-3)
    before = {row["image"]["path"].rpartition(".")[0]: row for row in rows_in(dataset)}
    contract = PreprocessConfig(kind="pixels", size=28)
    for row in rows_in(after):
        old = before[row["image"]["path"].rpartition(".")[0]]
        features = [
            pixel_features(
                decode_image(each["image"]["bytes"]),
                np.array(each["hand_box"], np.float32),
                left=False,
                contract=contract,
            )
            for each in (old, row)
        ]
        assert np.abs(features[0] - features[1]).mean() < 0.02


def test_crops_drop_and_count_frames_without_hand(dataset: Path, tmp_path: Path) -> None:
    result = prepare_for_sharing(dataset, tmp_path / "out", name="mine", config=CROP, names=None)
    without = [row for row in rows_in(dataset) if row["landmarks"] is None]
    copies = [row for row in rows_in(tmp_path / "out") if row["parent"]]
    assert result.left_out == len(without) + 1  # plus the copy of a dropped frame
    assert [row["reason"] for row in parquet_store.read_rejected(tmp_path / "out").to_pylist()].count("no-hand") == len(
        without
    )
    assert len(copies) == 1
    assert copies[0]["parent"] in {row["sha256"] for row in rows_in(tmp_path / "out") if not row["parent"]}
    text = (tmp_path / "out" / "README.md").read_text()
    assert f"{result.left_out} rows without a hand were left out" in text
    assert parquet_store.read_facts(tmp_path / "out")["summary"]["splits"]["train"] == 18


@pytest.mark.parametrize(
    "box", [(0.0, 0.0, 0.1, 0.1), (0.9, 0.9, 1.2, 1.1), (-0.3, 0.2, 1.3, 0.8), (0.5, 0.5, 0.5, 0.5)]
)
@pytest.mark.parametrize("size", [(640, 480), (48, 300), (20, 16)])
def test_crop_box_is_inside_frame(box: tuple[float, ...], size: tuple[int, int]) -> None:
    x0, y0, x1, y1 = crop_box(list(box), *size)
    assert 0 <= x0 < x1 <= size[0]
    assert 0 <= y0 < y1 <= size[1]
    assert min(x1 - x0, y1 - y0) >= 16


def test_landmarks_only_can_be_trained_on(dataset: Path, tmp_path: Path) -> None:
    after = prepare(dataset, tmp_path / "out", LANDMARKS)
    assert {row["image"]["bytes"] for row in rows_in(after)} == {None}
    assert [row["image"]["path"] for row in rows_in(after)] == [row["image"]["path"] for row in rows_in(dataset)]
    mine, theirs = (load_samples(folder, PreprocessConfig(kind="landmarks")) for folder in (dataset, after))
    np.testing.assert_array_equal(mine.hands, theirs.hands)
    with pytest.raises(AslkitError, match=r"has landmarks but no images\. Train on the landmarks: --feature landmarks"):
        load_samples(after, PreprocessConfig(kind="pixels", size=28))
    image_bytes = min(len(row["image"]["bytes"]) for row in rows_in(dataset))
    assert sum(path.stat().st_size for path in (after / "data").iterdir()) < 60 * image_bytes


HUGGING_FACE = """
import sys
from datasets import load_dataset
for folder in sys.argv[1:]:
    row = load_dataset(folder)["test"][0]
    print(len(row["landmarks"]), getattr(row["image"], "size", None) or row["image"]["bytes"])
"""


def test_hugging_face_opens_prepared_datasets(dataset: Path, tmp_path: Path) -> None:
    crops = prepare(dataset, tmp_path / "crops", CROP)
    row = next(row for row in rows_in(crops) if row["split"] == "test")
    folders = [str(crops), str(prepare(dataset, tmp_path / "landmarks", LANDMARKS))]
    environment = {**os.environ, "HF_HUB_OFFLINE": "1", "HF_HOME": str(tmp_path / "home")}
    result = subprocess.run(
        [sys.executable, "-c", HUGGING_FACE, *folders], cwd=tmp_path, env=environment, capture_output=True, text=True
    )  # cwd: import Hugging Face's datasets, not ./datasets
    assert result.stdout.splitlines() == [f"63 {(row['width'], row['height'])}", "63 None"], result.stderr[-2000:]


def test_pseudonyms_remove_all_names(dataset: Path, tmp_path: Path) -> None:
    workspace = Workspace(root=tmp_path / "workspace")
    folder, _ = stage_upload(dataset, workspace, PrivacyConfig(pseudonyms=True, crop=True))
    upload_staged(folder, str(tmp_path / "out"))
    buffer = io.StringIO()
    for path in (tmp_path / "out").rglob("*"):
        assert not re.search("ada|ben|cleo", re.sub("signer-[0-9a-f]{4}", "", path.name))
        if path.suffix != ".parquet" and path.is_file():
            buffer.write(path.read_text())
    for table in (
        parquet_store.read_dataset(tmp_path / "out"),
        parquet_store.read_rejected(tmp_path / "out"),
        parquet_store.read_flagged(tmp_path / "out"),
    ):
        rows = table.to_pylist()
        buffer.write(str([{**row, "image": (row.get("image") or {}).get("path")} for row in rows]))
    buffer.write(json.dumps(parquet_store.read_facts(tmp_path / "out")))
    text = buffer.getvalue().lower().replace("metadata", "").replace("jsonld", "")
    text = re.sub("[0-9a-f]{12,}|signer-[0-9a-f]{4}", "", text)  # hashes and pseudonyms can contain "ada"
    found = re.findall(r".{20}(?:ada|ben|cleo|telephone|at home).{5}", text)
    assert found == []
    for path in (tmp_path / "out").rglob("*.parquet"):
        assert not re.search(rb"ada/|ben/|cleo/|Ada,|Ben,|Cleo,|telephone", path.read_bytes())
    saved = json.loads((workspace.root / "datasets" / "adas.pseudonyms.json").read_text())
    assert set(saved["signers"]) == {"ada", "ben", "cleo"}
    assert (workspace.root / "datasets" / "adas.pseudonyms.json").stat().st_mode & 0o077 == 0
    assert not list((tmp_path / "out").rglob("*pseudonyms*"))


DETAILS = {
    "few-frames": "one of 3 of this letter and signer",
    "one-sitting": "this letter of the signer was recorded in {signer}/{session} only",
    "near-duplicate": "like {path}, which is sharper",
    "duplicate": "same pixels as {path}",
}
"""Details of findings as curation writes them, by reason."""


NAMES_TEXT = st.text("aA.b- 1", max_size=4).map(lambda text: f"q{text}q")
"""Names of signers, sessions and files. Some share a prefix, some contain others, and some contain spaces."""


@given(recorded=st.lists(st.tuples(NAMES_TEXT, NAMES_TEXT, NAMES_TEXT), min_size=1, max_size=6, unique=True))
def test_details_are_masked(recorded: list[tuple[str, str, str]]) -> None:
    names = Pseudonyms()
    paths = [f"{signer}/{session}/A/{file}.jpg" for signer, session, file in recorded]
    frames = list(zip(recorded, paths, strict=True))
    names.register({"signer": s, "session": t, "camera": None, "path": path} for (s, t, _), path in frames)
    masker = names.masker()
    for (signer, session, _), path in frames:
        pseudonyms = {
            "signer": names.signers[signer],
            "session": names.session(signer, session),
            "path": names.files[path],
        }
        for detail in DETAILS.values():
            masked = masker.mask_text(detail.format(signer=signer, session=session, path=path))
            assert masked == detail.format(**pseudonyms)


@pytest.mark.parametrize("signer", ["Jos\xe9 Luis", "प्रिया", "สมชาย"])
def test_names_in_other_unicode_forms_are_masked(signer: str) -> None:
    names = Pseudonyms()
    names.register([{"signer": signer, "session": "one", "camera": None, "path": f"{signer}/one/A/1.jpg"}])
    for form in ("NFC", "NFD"):
        text = unicodedata.normalize(form, f"recorded by {signer}, at home")
        assert names.masker().mask_text(text) == f"recorded by {names.signers[signer]}, at home"


def test_names_with_spaces_and_commas_are_removed(tmp_path: Path) -> None:
    recorded = [
        ("maria", "2026-09-01-kitchen", "beside, bed.jpg"),
        ("maria anna", "at the lake", "first.jpg"),
        ("maria anna", "at the lake again", "second.jpg"),
        ("jo", "balcony", "third.jpg"),
    ]
    rows, findings = [], []
    for index, (signer, session, file) in enumerate(recorded):
        frame = {"signer": signer, "session": session, "path": f"{signer}/{session}/A/{file}"}
        image = {"bytes": None, "path": frame["path"]}
        rows.append(factories.row(index, signer, session=session, label=0, image=image, camera=f"{signer}'s"))
        finding = frame | {"letter": "A"}
        findings += [finding | {"reason": name, "detail": text.format(**frame)} for name, text in DETAILS.items()]
    folder = factories.write(tmp_path / "in", {"train": rows}, summary={"notes": [row["detail"] for row in findings]})
    for name in (parquet_store.REJECTED_FILE, parquet_store.FLAGGED_FILE):
        parquet_store.write_findings(folder / name, findings)
    after = prepare(folder, tmp_path / "out", NAMES, Pseudonyms())
    sent = [
        table.to_pylist()
        for table in (
            parquet_store.read_dataset(after),
            parquet_store.read_rejected(after),
            parquet_store.read_flagged(after),
        )
    ]
    text = repr(
        [
            parquet_store.read_facts(after),
            sent,
            *(path.read_text() for path in after.glob("*.*") if path.suffix != ".parquet"),
        ]
    )
    assert re.findall(r"maria|anna|\bjo\b|kitchen|lake|balcony|beside|first\.|second\.|third\.", text) == []
    assert text.count("in signer-") >= 2 * len(recorded)  # the details themselves are kept


def test_pseudonyms_keep_signers_and_file_order(dataset: Path, tmp_path: Path) -> None:
    names = Pseudonyms()
    after = rows_in(prepare(dataset, tmp_path / "out", NAMES, names))
    before = rows_in(dataset)
    assert [names.signers[row["signer"]] for row in before] == [row["signer"] for row in after]
    assert len(set(names.signers.values())) == 3
    assert all(re.fullmatch("signer-[0-9a-f]{4}", name) for name in names.signers.values())
    for old, new in zip(before, after, strict=True):
        assert new["image"]["path"].startswith(f"{new['signer']}/{new['session']}/A/")
        assert {key: old[key] for key in ("label", "group", "sha256", "split", "landmarks")} == {
            key: new[key] for key in ("label", "group", "sha256", "split", "landmarks")
        }
        assert new["consent"] == f"I, {new['signer']}, agree."
    mine, theirs = (load_samples(folder, PreprocessConfig(kind="landmarks")) for folder in (dataset, tmp_path / "out"))
    for signer in ("ada", "ben", "cleo"):  # in recording order
        np.testing.assert_array_equal(
            mine.label[mine.signer == signer], theirs.label[theirs.signer == names.signers[signer]]
        )
    listed = [row["path"] for row in parquet_store.read_rejected(tmp_path / "out").to_pylist()]
    assert listed[0] in {row["image"]["path"] for row in after}
    assert parquet_store.read_rejected(tmp_path / "out").to_pylist()[1]["detail"] == f"same pixels as {listed[0]}"


def test_pseudonyms_are_stable_per_dataset(dataset: Path, tmp_path: Path) -> None:
    workspace = Workspace(root=tmp_path)
    for target in ("1", "2"):
        upload_staged(stage_upload(dataset, workspace, NAMES)[0], str(tmp_path / target))
    assert manifest.build_manifest(tmp_path / "1") == manifest.build_manifest(tmp_path / "2")
    shutil.copytree(dataset, tmp_path / "other")
    upload_staged(stage_upload(tmp_path / "other", workspace, NAMES)[0], str(tmp_path / "3"))
    one, other = ({row["signer"] for row in rows_in(tmp_path / name)} for name in ("1", "3"))
    assert not one & other


def test_damaged_pseudonyms_file_is_reported(dataset: Path, tmp_path: Path) -> None:
    (tmp_path / "datasets").mkdir()
    (tmp_path / "datasets" / "adas.pseudonyms.json").write_text("{")
    with pytest.raises(AslkitError, match=r"adas\.pseudonyms\.json is damaged .* new pseudonyms"):
        stage_upload(dataset, Workspace(root=tmp_path), NAMES)


def test_staged_upload_is_reused(dataset: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    workspace = Workspace(root=tmp_path / "workspace")
    folder, first = stage_upload(dataset, workspace, CROP)

    def never(*_: Any, **__: Any) -> None:
        raise AssertionError("prepared again")

    monkeypatch.setattr(prepare_module, "prepare_for_sharing", never)
    assert stage_upload(dataset, workspace, CROP) == (folder, first)
    upload_staged(folder, str(tmp_path / "out"))
    assert not folder.exists()


def test_prepared_datasets_can_be_merged(dataset: Path, tmp_path: Path) -> None:
    inputs = [
        MergeInput(name=str(i), folder=prepare(dataset, tmp_path / str(i), config, Pseudonyms()), renames={})
        for i, config in enumerate(
            (PrivacyConfig(landmarks_only=True, pseudonyms=True), PrivacyConfig(crop=True, pseudonyms=True))
        )
    ]
    result = merge_datasets(inputs, tmp_path / "m", MergeConfig(test_share=0.2, validation_share=0.15, seed=0))
    assert len(result.summary["signers"]) == 6
    assert parquet_store.read_facts(result.folder)["pixels"] is False


def test_dataset_with_unknown_signers(tmp_path: Path) -> None:
    """As in Sign Language MNIST."""
    unknown = dict.fromkeys(("signer", "session", "camera", "group", "landmarks", "hand_box", "consent", "licence"))
    rows = {"train": [factories.row(index, "") | unknown for index in range(3)]}
    folder = factories.write(tmp_path / "in", rows, summary={"split_by": "official"})
    after = prepare(folder, tmp_path / "out", NAMES, Pseudonyms())
    for name in ("signer", "licence", "consent"):  # null stays null
        assert [row[name] for row in rows_in(after)] == [None] * 3
    assert parquet_store.read_facts(after)["summary"]["split_by"] == "official"
    with pytest.raises(AslkitError, match=r"No frame of .* has a hand"):
        prepare(folder, tmp_path / "crops", CROP)


def test_exif_is_removed(dataset: Path, tmp_path: Path) -> None:
    from PIL import Image

    exif = Image.Exif()
    exif[0x9286] = exif[0x010E] = "at Ada's home"
    buffer = io.BytesIO()
    Image.fromarray(factories.picture(3)).save(buffer, "JPEG", exif=exif)
    rows = {"train": [factories.row(0, "ada", image={"bytes": buffer.getvalue(), "path": "ada/one/A/0.jpg"})]}
    after = prepare(factories.write(tmp_path / "in", rows), tmp_path / "out", PrivacyConfig())
    data = rows_in(after)[0]["image"]["bytes"]
    assert b"home" not in data
    np.testing.assert_array_equal(decode_image(data), decode_image(buffer.getvalue()))


def test_damaged_image_is_reported(tmp_path: Path) -> None:
    rows = {"train": [factories.row(0, "ada", image={"bytes": b"\xff\xd8 no", "path": "ada/one/A/0.jpg"})]}
    with pytest.raises(AslkitError, match=r"The dataset's image 'ada/one/A/0\.jpg' is not an image"):
        prepare(factories.write(tmp_path / "in", rows), tmp_path / "out", PrivacyConfig())
    assert [path.name for path in tmp_path.iterdir()] == ["in"]


@pytest.fixture(scope="module")
def portrait() -> Frame:
    """A portrait from matplotlib's sample data, BGR, uint8."""
    from matplotlib import cbook

    return decode_image(Path(cbook._get_data_path("sample_data/grace_hopper.jpg")).read_bytes())


@pytest.fixture(scope="module")
def detector() -> Iterator[FaceDetector]:
    detector = FaceDetector()
    yield detector
    detector.close()


def test_face_is_detected_and_hand_is_not(portrait: Frame, picture: Frame, detector: FaceDetector) -> None:
    (face,) = detector.find_faces(portrait, None, min_score=MIN_SCORE)
    np.testing.assert_allclose(face, [0.33, 0.24, 0.71, 0.57], atol=0.05)
    assert not detector.find_faces(picture, None, min_score=MIN_SCORE)


def synthetic_hand(*, width: int = 640, height: int = 480) -> tuple[Frame, np.ndarray[Any, Any]]:
    """Return a frame of a synthetic signer, BGR, and its landmarks, float64 (21, 3)."""
    signer = Signer.draw("synthetic-ada")
    session = SyntheticSession.draw(signer, "one")
    frame = next(render_frames("A", signer=signer, session=session, width=width, height=height))
    return frame.image, np.asarray(frame.joints, np.float64)


class _Graph:
    """Stands for MediaPipe: one detection whose eyes, nose and mouth are at `points`, relative to the frame."""

    def __init__(self, score: float, points: np.ndarray[Any, Any]) -> None:
        box = SimpleNamespace(xmin=0.1, ymin=0.2, width=0.3, height=0.4)
        keypoints = [SimpleNamespace(x=float(x), y=float(y)) for x, y in (*points, (0.0, 0.0), (0.0, 0.0))]
        location = SimpleNamespace(relative_bounding_box=box, relative_keypoints=keypoints)
        self._detections = [SimpleNamespace(score=[score], location_data=location)]

    def process(self, frame: Any) -> Any:
        return SimpleNamespace(detections=self._detections)


@pytest.mark.parametrize(
    ("score", "on_hand", "expected"),
    [
        (0.77, 4, False),  # a fist
        (0.84, 3, False),
        (0.86, 4, True),  # a face behind a spread hand
        (0.77, 2, True),  # a face beside the hand
        (0.77, 0, True),
        (0.75, 0, False),
    ],
)
def test_face_detection_on_the_hand_is_the_hand(score: float, on_hand: int, expected: bool) -> None:
    landmarks = synthetic_hand()[1]
    points = np.full((4, 2), 0.99)
    points[:on_hand] = landmarks[[5, 9, 13, 17], :2][:on_hand]
    detector = FaceDetector.__new__(FaceDetector)
    detector._graph = _Graph(score, points)
    found = detector.find_faces(np.zeros((240, 320, 3), np.uint8), landmarks, min_score=MIN_SCORE)
    assert found == ([pytest.approx((0.1, 0.2, 0.4, 0.6))] if expected else [])


def test_faces_in_crops_are_pixelated_and_hands_are_not(portrait: Frame, tmp_path: Path) -> None:
    """A face beside a hand, which the crop cuts off."""
    picture, landmarks = synthetic_hand()
    frame = np.concatenate([picture, portrait[60 : 60 + picture.shape[0], 120:440]], axis=1)
    landmarks = landmarks * (picture.shape[1] / frame.shape[1], 1, 1)
    box = [*landmarks[:, :2].min(axis=0).tolist(), *landmarks[:, :2].max(axis=0).tolist()]
    box[2] = 0.75  # so that the crop shows part of the face
    image = {"bytes": encode_png(frame), "path": "ada/one/A/0.png"}
    row = factories.row(
        0, "ada", image=image, hand_box=box, landmarks=landmarks.ravel().tolist(),
        width=frame.shape[1], height=frame.shape[0],
    )  # fmt: skip
    factories.write(tmp_path / "datasets" / "mine", {"train": [row]})
    push = ["dataset", "push", "mine", str(tmp_path / "out"), "--workspace", str(tmp_path)]
    refused = CliRunner().invoke(main, push)
    assert "Faces are visible in 1 of 1 images. Crop the images and pixelate the faces (--crop)" in refused.output
    assert refused.exit_code == 2
    assert not (tmp_path / "out").exists()
    confirmed = CliRunner().invoke(main, [*push, "--yes-faces", "--json"])
    assert json.loads(confirmed.output)["privacy"] == {"faces": 1, "pixelated": 0, "images": 1, "left_out": 0}
    assert "Faces are visible in 1 of 1 images" in (tmp_path / "out" / "README.md").read_text()
    result = CliRunner().invoke(main, [*push, "--crop", "--crop-size", "4096"])
    assert result.exit_code == 0, result.output
    assert "Faces are pixelated in 1 of 1 images" in result.output
    assert "Faces are pixelated in 1 of 1 images" in (tmp_path / "out" / "README.md").read_text()
    (after,) = rows_in(tmp_path / "out")
    x0, y0, x1, y1 = crop_box(box, frame.shape[1], frame.shape[0])
    before, crop = frame[y0:y1, x0:x1], decode_image(after["image"]["bytes"])
    on_hand = hand_mask(np.array(after["landmarks"]).reshape(21, 3), x1 - x0, y1 - y0)
    np.testing.assert_array_equal(crop[on_hand], before[on_hand])
    assert (crop != before).any()


def test_blocks_of_a_cut_off_face_are_as_large_as_those_of_a_whole_one() -> None:
    rng = np.random.default_rng(0)
    frame = rng.integers(0, 256, (80, 80, 3), dtype=np.uint8)
    beside = np.full((21, 3), 0.9, np.float32)
    assert pixelate_faces(frame, [(-0.3, 0.1, 0.1, 0.5)], beside)  # 32 pixels wide, 48 with margin: blocks of 12 pixels
    assert len(np.unique(frame[0, :16], axis=0)) == 1
    assert not pixelate_faces(frame, [(1.3, 0.1, 1.5, 0.5)], beside)


def test_large_crops_are_scaled_down(tmp_path: Path) -> None:
    picture, hand = synthetic_hand(width=1280, height=960)
    box = [*hand[:, :2].min(axis=0).tolist(), *hand[:, :2].max(axis=0).tolist()]
    image = {"bytes": encode_jpeg(picture), "path": "ada/one/A/0.jpg"}
    row = factories.row(0, "ada", image=image, hand_box=box, landmarks=hand.ravel().tolist())
    dataset = factories.write(tmp_path / "in", {"train": [row | {"width": 1280, "height": 960}]})
    for config, side in ((CROP, DEFAULT_CROP_SIZE), (PrivacyConfig(crop=True, crop_size=96), 96)):
        folder = prepare(dataset, tmp_path / str(side), config)
        (after,) = rows_in(folder)
        assert max(after["width"], after["height"]) == side
        assert decode_image(after["image"]["bytes"]).shape == (after["height"], after["width"], 3)
        x0, y0, x1, y1 = crop_box(box, 1280, 960)
        landmarks = np.array(after["landmarks"]).reshape(21, 3)[:, :2] * (x1 - x0, y1 - y0) + (x0, y0)
        np.testing.assert_allclose(landmarks, hand[:, :2] * (1280, 960), atol=0.01)
        assert not [each for each in verify_dataset(folder, processes=0).findings if each.level == "problem"]


def test_crop_size_is_checked() -> None:
    with pytest.raises(InputError, match=r"--crop-size is 20. It must be 64–4096 pixels"):
        PrivacyConfig(crop=True, crop_size=20)
    result = CliRunner().invoke(main, ["dataset", "push", "mine", "out", "--crop-size", "96"])
    assert result.exit_code == 2
    assert "--crop-size requires --crop." in result.output


def test_crop_and_landmarks_only_exclude_each_other() -> None:
    with pytest.raises(InputError, match="exclude each other"):
        PrivacyConfig(crop=True, landmarks_only=True)
