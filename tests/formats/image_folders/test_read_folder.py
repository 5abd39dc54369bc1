"""Layouts of folders in which people bring labelled images."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from aslkit.core.errors import InputError
from aslkit.formats.image_folders.class_names import parse_labels, parse_split, propose_labels
from aslkit.formats.image_folders.clip_folders import LabelledClip
from aslkit.formats.image_folders.read_folder import LabelledImage, read_image_folder

MakeFolder = Callable[..., Path]


@pytest.fixture
def make(tmp_path: Path) -> MakeFolder:
    """Return a function that creates empty files in a folder; images are recognised by their suffix."""

    def create(*names: str, folder: str = "photos", **texts: str) -> Path:
        for name in names:
            path = tmp_path / folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(texts.get(path.stem.removeprefix("_"), ""))
        return tmp_path / folder

    return create


def read(source: Path) -> set[tuple[str, str, str, str | None]]:
    def describe(image: LabelledImage) -> tuple[str, str, str, str | None]:
        return image.path.relative_to(source).as_posix(), image.letter, image.part, image.split

    return set(map(describe, read_image_folder(source).images))


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        (["A/1.jpg", "b/2.PNG", "b/3"], {("A/1.jpg", "A", "", None), ("b/2.PNG", "B", "", None)}),
        (["x/x/A/1.jpg"], {("x/x/A/1.jpg", "A", "", None)}),
        (
            ["maria/A/1.jpg", "ben/a/1.jpg"],
            {("maria/A/1.jpg", "A", "maria", None), ("ben/a/1.jpg", "A", "ben", None)},
        ),
        (["A/maria/1.jpg", "B/ben/1.jpg"], {("A/maria/1.jpg", "A", "maria", None), ("B/ben/1.jpg", "B", "ben", None)}),
        (["A/a/1.jpg", "B/a/1.jpg"], {("A/a/1.jpg", "A", "A", None), ("B/a/1.jpg", "A", "B", None)}),
        (
            ["train/A/1.jpg", "valid/A/1.jpg", "test/B/1.jpg"],
            {
                ("train/A/1.jpg", "A", "", "train"),
                ("valid/A/1.jpg", "A", "", "validation"),
                ("test/B/1.jpg", "B", "", "test"),
            },
        ),
        (
            ["asl_train/asl_train/A/1.jpg", "asl_test/asl_test/A_test.jpg", "asl_test/asl_test/nothing_test.jpg"],
            {
                ("asl_train/asl_train/A/1.jpg", "A", "", "train"),
                ("asl_test/asl_test/A_test.jpg", "A", "", "test"),
                ("asl_test/asl_test/nothing_test.jpg", "none", "", "test"),
            },
        ),
        (
            ["maria/train/A/1.jpg", "maria/test/A/1.jpg", "ben/train/A/1.jpg"],
            {
                ("maria/train/A/1.jpg", "A", "maria", "train"),
                ("maria/test/A/1.jpg", "A", "maria", "test"),
                ("ben/train/A/1.jpg", "A", "ben", "train"),
            },
        ),
        (
            ["A_test.jpg", "b12.jpg", "c (3).jpg", "D.png"],
            {
                ("A_test.jpg", "A", "", None),
                ("b12.jpg", "B", "", None),
                ("c (3).jpg", "C", "", None),
                ("D.png", "D", "", None),
            },
        ),
    ],
    ids=["letters", "doubled", "signers", "signers in letters", "signers A, B", "splits", "Kaggle", "both", "names"],
)  # fmt: skip
def test_layouts(make: MakeFolder, files: list[str], expected: set[tuple[str, str, str, str | None]]) -> None:
    assert read(make(*files)) == expected


def test_a_single_split_is_no_split(make: MakeFolder) -> None:
    assert read(make("train/A/1.jpg")) == {("train/A/1.jpg", "A", "", None)}


def test_folder_of_one_letter(make: MakeFolder) -> None:
    assert read(make("1.jpg", "2.jpg", folder="photos/b")) == {("1.jpg", "B", "", None), ("2.jpg", "B", "", None)}


def test_folder_named_like_a_letter_can_contain_others(make: MakeFolder) -> None:
    assert read(make("a/1.jpg", folder="P")) == {("a/1.jpg", "A", "", None)}


def test_what_is_left_out_is_listed(make: MakeFolder) -> None:
    source = make(
        "A/1.jpg", "A/notes.txt", "A/._1.jpg", "A/clip.mov", "A/old/2.jpg", "J/1.jpg", "space/1.jpg", "rest/1.jpg",
        "thumbs/1.jpg", "loose.jpg", "readme.txt",
    )  # fmt: skip
    found = read_image_folder(source)
    assert [image.path.name for image in found.images] == ["1.jpg"]
    assert {path.relative_to(source).as_posix(): reason for path, reason in found.skipped} == {
        "A/notes.txt": "not an image file",
        "A/._1.jpg": "hidden",
        "A/clip.mov": "a video",
        "A/old": "in the folder of a letter",
        "J": "its sign is a movement; give videos, J/*.mp4, or a folder of frames for each clip, J/CLIP/*.jpg",
        "space": "not a letter",
        "rest": "not a letter; if no hand signs one, add --labels rest=none",
        "thumbs": "not a letter; if it means one, add --labels NAME=LETTER",
        "loose.jpg": "not in a letter folder",
        "readme.txt": "not an image file",
    }


def test_classes_without_a_letter_become_negatives(make: MakeFolder) -> None:
    found = read_image_folder(make("A/1.jpg", "none/1.jpg", "Nothing/1.jpg", "blank/1.jpg", "background/1.jpg"))
    assert [image.letter for image in found.images].count("none") == 4
    assert found.negatives == {"none", "Nothing", "blank", "background"}
    assert read_image_folder(make("B/1.jpg", "none/1.jpg", folder="other")).negatives == set()


def test_labels_name_folders_and_files(make: MakeFolder) -> None:
    labels = parse_labels("0=A, Hello=b,rest=none,9=J")
    found = read_image_folder(make("0/1.jpg", "hello/1.jpg", "Rest/1.jpg", "9/1.jpg", "8/1.jpg"), labels=labels)
    assert [(image.path.parent.name, image.letter) for image in found.images] == [
        ("0", "A"), ("Rest", "none"), ("hello", "B"),
    ]  # fmt: skip
    assert {path.name for path, _ in found.skipped} == {"8", "9"}


def test_labels_without_a_class_are_named(make: MakeFolder) -> None:
    labels = parse_labels("1=A,10=B,9=C,Space=none,2=J")
    source = make("1/1.jpg", "2/1.jpg", "3/1.jpg", "space/1.jpg")
    assert read_image_folder(source, labels=labels).unused_labels == ["9", "10"]
    table = "filename,1,2\n1.jpg,1,0\n2.jpg,0,1\n"
    stated = make("1.jpg", "2.jpg", "_classes.csv", folder="stated", classes=table)
    assert read_image_folder(stated, labels=labels).unused_labels == ["9", "10", "space"]


@pytest.mark.parametrize("text", ["A", "0", "=A", "0=", "0=ß", "0=AB", "0=A,,1=B"])
def test_invalid_labels_are_rejected(text: str) -> None:
    with pytest.raises(InputError, match="is not NAME=LETTER"):
        parse_labels(text)


@pytest.mark.parametrize(
    ("names", "first", "last"),
    [
        (map(str, range(3)), ("0", "A"), ("2", "C")),
        (map(str, range(24)), ("0", "A"), ("23", "Y")),
        (map(str, range(1, 25)), ("1", "A"), ("24", "Y")),
        ((str(number) for number in range(25) if number != 9), ("0", "A"), ("24", "Y")),
        (map(str, range(26)), ("0", "A"), ("25", "Z")),
        (("letter_A", "sign-b"), ("letter_A", "A"), ("sign-b", "B")),
    ],
    ids=["three", "24 letters", "from 1", "Sign Language MNIST", "alphabet", "words"],
)
def test_likely_labels_are_proposed(names: list[str], first: tuple[str, str], last: tuple[str, str]) -> None:
    proposal = list(propose_labels(names).items())
    assert (proposal[0], proposal[-1]) == (first, last)


def test_names_without_a_likely_letter_are_not_proposed() -> None:
    assert propose_labels(["hello", "thanks"]) == {}


@pytest.mark.parametrize(
    ("name", "split"),
    [("train", "train"), ("Valid", "validation"), ("instances_val2017", "validation"), ("asl_alphabet_test", "test"),
     ("testa", None), ("train-test", None), ("maria", None)],
)  # fmt: skip
def test_names_of_splits(name: str, split: str | None) -> None:
    assert parse_split(name) == split


@pytest.mark.parametrize(
    ("files", "words"),
    [
        ([], "photos is empty. Put the images in one folder per letter, such as .*photos/A"),
        (["notes.txt"], "contains no letter folder with images. Expected .*A, .*B, …"),
        (["k.zip"], "photos contains no images. .*k.zip is an archive. Unpack it with `python -m zipfile -e .*k.zip "),
        (["x/k.zip"], "photos contains no images. .*x/k.zip is an archive"),
        (["IMG_1.jpg", "IMG_2.jpg"], "contains images, but not their letters. Put them in one folder per letter"),
        (["0/1.jpg", "1/1.jpg", "2/1.jpg"], "classes 0, 1 and 2, .* If 0 is A, 1 is B and 2 is C, add --labels "
                                            "0=A,1=B,2=C. Signed digits cannot"),
        (["letter_a/1.jpg"], "the class letter_a, which is not a letter. If letter_a is A, add --labels letter_a=A"),
        (["hello/1.jpg"], "If a name means one of them, add --labels, such as hello=A"),
        (["B/clip.mp4", "C/x.mov"], "but 2 videos. Give each to `aslkit capture` or `aslkit exam`: --letter B "
                                    "--source .*clip.mp4$"),
        (["P1010001.jpg", "P1010002.jpg"], "contains images, but not their letters"),
        (["eval1.jpg", "atest2.jpg"], "contains images, but not their letters"),
        (["J/1.jpg", "space/1.jpg"], "no images of the 24 static letters. .*a movement; give videos.*; not a letter"),
    ],
    ids=["empty", "text", "zip", "zip below", "no letters", "numbers", "words with a letter", "words", "videos",
         "camera", "other", "movements"],
)  # fmt: skip
def test_unclear_folder_says_what_it_contains_and_what_to_type(make: MakeFolder, files: list[str], words: str) -> None:
    source = make(*files)
    source.mkdir(exist_ok=True)
    with pytest.raises(InputError, match=words) as caught:
        read_image_folder(source)
    assert caught.value.exit_code == 2


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("k.zip", r"is an archive. Unpack it with `python -m zipfile -e .*k.zip .*/k`, then give .*/k\."),
        ("k.tar.gz", r"python -m tarfile -e .*k.tar.gz .*/k`"),
        ("clip.mp4", "is a video. Record its frames with `aslkit capture --letter A --source"),
        ("train.csv", "aslkit dataset get sign-mnist --from"),
        ("A/1.jpg", r"is a single image. Give a folder: .*/photos$"),
        ("notes.txt", "is a file. Give a folder with one subfolder per letter"),
        ("nowhere/", "does not exist"),
    ],
)
def test_file_instead_of_folder_says_what_to_type(make: MakeFolder, name: str, words: str) -> None:
    source = make("x.txt") if name.endswith("/") else make(name)
    with pytest.raises(InputError, match=words):
        read_image_folder(source / name)


def test_one_column_for_each_class(make: MakeFolder) -> None:
    table = (
        "filename, A, B, nothing\n1.jpg, 1, 0, 0\n2.jpg, 0, 1, 0\n3.jpg, 1, 1, 0\n4.jpg, 0, 0, 1\nlost.jpg, 1, 0, 0\n"
    )
    names = [f"{split}/{number}.jpg" for split in ("train", "test") for number in range(1, 5)]
    source = make(*names, "train/_classes.csv", "test/_classes.csv", classes=table)
    assert read(source) == {
        (f"{folder}/{number}.jpg", letter, "", folder)
        for folder in ("train", "test")
        for number, letter in ((1, "A"), (2, "B"), (4, "none"))
    }
    assert {(path.name, reason) for path, reason in read_image_folder(source).skipped} == {
        ("3.jpg", "shows several classes"), ("lost.jpg", "not in the folder"),
    }  # fmt: skip


def test_folders_that_label_files_do_not_mention_are_listed(make: MakeFolder) -> None:
    table = "filename,A\n./1.jpg,1\n"
    source = make("train/1.jpg", "train/2.jpg", "A/1.jpg", "A/2.jpg", "B/1.jpg", "notes/x.txt", "train/_classes.csv",
                  classes=table)  # fmt: skip
    reason = f"not in the label files, such as {source / 'train/_classes.csv'}"
    found = read_image_folder(source)
    assert [image.path for image in found.images] == [source / "train/1.jpg"]
    assert found.skipped == [
        (source / "A", f"{reason}; import the folder separately"),
        (source / "B", f"{reason}; import the folder separately"),
        (source / "train", f"has images that are {reason}"),
    ]


def test_annotations_with_a_class_for_each_box(make: MakeFolder) -> None:
    table = "filename,width,height,class,xmin\n1.jpg,64,48,A,1\n1.jpg,64,48,A,9\n2.jpg,64,48,A,1\n2.jpg,64,48,B,1\n"
    source = make("1.jpg", "2.jpg", "_annotations.csv", annotations=table)
    assert read(source) == {("1.jpg", "A", "", None)}


@pytest.mark.parametrize(
    ("images", "file"),
    [
        ("train/", "train/_annotations.coco.json"),
        ("images/", "annotations/instances.json"),
        ("train2017/", "annotations/instances_train2017.json"),
    ],
)
def test_coco(make: MakeFolder, images: str, file: str) -> None:
    coco = {
        "images": [{"id": number, "file_name": f"{number}.jpg", "width": 64} for number in range(3)],
        "categories": [{"id": 7, "name": "A"}, {"id": 8, "name": "Hello"}],
        "annotations": [
            {"id": 1, "image_id": 0, "category_id": 7, "bbox": [1, 2, 3, 4]},
            {"id": 2, "image_id": 1, "category_id": 8},
        ],
    }
    source = make(*(f"{images}{number}.jpg" for number in range(3)), file)
    (source / file).write_text(json.dumps(coco))
    assert read(source) == {(f"{images}0.jpg", "A", "", None)}
    assert {(path.name, reason) for path, reason in read_image_folder(source).skipped} == {
        ("1.jpg", "not a letter; if it means one, add --labels NAME=LETTER"), ("2.jpg", "shows no class"),
    }  # fmt: skip


@pytest.mark.parametrize("names", ["names: [A, B]", "names:\n  0: A\n  1: B\n", "classes.txt"])
@pytest.mark.parametrize("folders", [("train/images", "train/labels"), ("images/train", "labels/train")])
def test_yolo(make: MakeFolder, names: str, folders: tuple[str, str]) -> None:
    images, labels = folders
    source = make(f"{images}/1.jpg", f"{images}/2.jpg", f"{images}/3.jpg", f"{labels}/1.txt", f"{labels}/2.txt")
    (source / labels / "1.txt").write_text("1 0.5 0.5 0.1 0.1\n1 0.2 0.2 0.1 0.1\n")
    (source / labels / "2.txt").write_text("0 0.5 0.5 0.1 0.1\n1 0.2 0.2 0.1 0.1\n")
    if names == "classes.txt":
        (source / names).write_text("A\nB\n")
    else:
        (source / "data.yaml").write_text(names)
    assert read(source) == {(f"{images}/1.jpg", "B", "", None)}


@pytest.mark.parametrize("name", ["data.yaml", "data.yml", "classes.txt"])
def test_yolo_names_in_the_folder_above(make: MakeFolder, name: str) -> None:
    source = make("train/images/1.jpg", "train/labels/1.txt", name)
    with pytest.raises(InputError, match=rf"names their classes\. {source} has one: aslkit import {source}$"):
        read_image_folder(source / "train")


def test_yolo_without_names_of_classes(make: MakeFolder) -> None:
    with pytest.raises(InputError, match=r"YOLO labels, but there is no data\.yaml in .* that names their classes"):
        read_image_folder(make("images/1.jpg", "labels/1.txt"))


@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("_classes.csv", "name,A\n1.jpg,1\n"),
        ("a.coco.json", "{}"),
        ("a.coco.json", '{"images": [], "categories": [], "annotations": [{"image_id": 1, "category_id": 2}]}'),
        ("annotations/x.json", "[1"),
        ("annotations/x.json", "[" * 100_000),
        ("_classes.csv", f"filename,class\n{'x' * 200_000},A\n"),
    ],
)
def test_damaged_label_files_are_named(make: MakeFolder, file: str, text: str) -> None:
    source = make("A/1.jpg", file)
    (source / file).write_text(text)
    with pytest.raises(InputError, match=Path(file).name):
        read_image_folder(source)


def test_label_files_cannot_lead_out_of_the_folder(make: MakeFolder) -> None:
    make("secret.jpg", folder="elsewhere")
    source = make("_classes.csv", "1.jpg", classes="filename,A\n../elsewhere/secret.jpg,1\n1.jpg,1\n")
    assert read(source) == {("1.jpg", "A", "", None)}


def describe_clip(clip: LabelledClip) -> tuple[str, str, str, str | None]:
    return "/".join(clip.path.parts[-2:]), clip.letter, clip.part, clip.split


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        (["J/1.mp4", "z/2.MOV", "none/3.webm"],
         {("J/1.mp4", "J", "", None), ("z/2.MOV", "Z", "", None), ("none/3.webm", "none", "", None)}),
        (["J/first/1.jpg", "J/first/2.jpg", "J/second/1.png"],
         {("J/first", "J", "", None), ("J/second", "J", "", None)}),
        (["Nothing/wave/1.jpg", "Nothing/wave/2.jpg", "Nothing/still.jpg"], {("Nothing/wave", "none", "", None)}),
        (["maria/J/1.mp4", "jon/J/take/1.jpg"], {("J/1.mp4", "J", "maria", None), ("J/take", "J", "jon", None)}),
        (["J/maria/1.mp4", "J/jon/take/1.jpg"], {("maria/1.mp4", "J", "maria", None), ("jon/take", "J", "jon", None)}),
        (["maria/one/J/c1/1.jpg", "maria/one/J/c1/frames.jsonl"], {("J/c1", "J", "", None)}),
        (["train/Z/1.mp4", "test/Z/2.mp4"], {("Z/1.mp4", "Z", "", "train"), ("Z/2.mp4", "Z", "", "test")}),
    ],
    ids=["videos", "folders of frames", "negatives", "signers", "signers below", "captures", "split"],
)  # fmt: skip
def test_clips(make: MakeFolder, files: list[str], expected: set[Any]) -> None:
    found = read_image_folder(make(*files), clips=True)
    assert set(map(describe_clip, found.clips)) == expected
    assert found.skipped == []


def test_images_and_clips_of_one_folder(make: MakeFolder) -> None:
    source = make("A/maria/1.jpg", "J/1.jpg", "J/2.mp4", "none/maria/1.jpg", "none/maria/2.jpg", "none/wave/1.jpg",
                  "none/wave/2.jpg", "none/3.jpg", "B/4.mp4", "J/readme.txt")  # fmt: skip
    found = read_image_folder(source, clips=True)
    # Those of maria are single images, because A has a folder with this name.
    assert [image.letter for image in found.images] == ["A", "none", "none", "none"]
    assert set(map(describe_clip, found.clips)) == {("J/2.mp4", "J", "", None), ("none/wave", "none", "", None)}
    reasons = {path.relative_to(source).as_posix(): reason for path, reason in found.skipped}
    assert "give videos" in reasons.pop("J")
    assert reasons == {"B/4.mp4": "a video"}


def test_folder_of_one_movement(make: MakeFolder) -> None:
    for files in (["1.mp4", "2.mp4"], ["first/1.jpg", "second/1.jpg"]):
        source = make(*files, folder="J")
        found = read_image_folder(source, clips=True)
        assert [clip.letter for clip in found.clips] == ["J", "J"]
        assert found.parts == [""]
        shutil.rmtree(source)


def test_without_clips_the_folder_of_a_movement_is_skipped(make: MakeFolder) -> None:
    found = read_image_folder(make("A/1.jpg", "J/1.mp4", "J/take/1.jpg"))
    assert (len(found.images), found.clips) == (1, [])
    assert {path.name for path, _ in found.skipped} == {"J", "take"}
