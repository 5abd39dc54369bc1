"""Rows of landmarks and embeddings: views, augmentation and negative samples."""

import numpy as np
import pytest

from aslkit.core.letters import LETTERS
from aslkit.synthetic.embedding_dataset import load_embeddings
from aslkit.synthetic.landmark_dataset import NO_LETTER
from aslkit.train.data.embedding_views import augment_views, embedding_inputs, join_hands, row_size, split_hands
from aslkit.train.data.features import get_feature
from aslkit.train.data.synthetic_negatives import KINDS, make_negatives, make_transitions
from aslkit.train.data.synthetic_signers import synthetic_samples
from aslkit.vision.hand_embedding import EMBEDDING_VALUES
from aslkit.vision.preprocess import Array
from tests.train.preprocessed import synthetic_hands


def _hands(views: int, count: int = 40) -> Array:
    """Return rows in which each embedding consists of the number of its view."""
    embeddings = np.zeros((count, views, EMBEDDING_VALUES), np.float32)
    embeddings += np.arange(views, dtype=np.float32)[:, None]
    return join_hands(synthetic_hands("K", count), embeddings)


def test_rows_can_be_joined_and_split() -> None:
    rows = _hands(3)
    assert rows.shape == (40, row_size(2))
    points, embeddings = split_hands(rows)
    np.testing.assert_array_equal(points, synthetic_hands("K", 40))
    assert embeddings.shape == (40, 3, EMBEDDING_VALUES)
    assert (embeddings[:, 2] == 2).all()


@pytest.mark.parametrize(("share", "expected"), [(0.0, {0, 2}), (1.0, {1, 3}), (0.5, {0, 1, 2, 3})])
def test_augment_views_selects_mirrored_views_as_often_as_requested(share: float, expected: set[int]) -> None:
    rows = augment_views(_hands(4, 200), share, np.random.default_rng(0))
    assert rows.shape == (200, row_size(0))
    assert set(embedding_inputs(rows)[:, 0].astype(int).tolist()) == expected


def test_augment_views_of_a_single_view_selects_it() -> None:
    assert not embedding_inputs(augment_views(_hands(1), 0.5, np.random.default_rng(0))).any()


@pytest.mark.parametrize("kind", KINDS)
def test_negatives_have_one_view_and_differ_from_their_sources(kind: str, rng: np.random.Generator) -> None:
    hands = np.concatenate([_hands(2, 10), _hands(2, 10) + np.float32(5)])
    hands[:, -2:] = (0, 1)
    label, signer = np.repeat([0, 1], 10), np.full(20, "ann", object)
    negatives = make_negatives(hands, label, signer, kind, 30, rng)
    assert negatives.shape[1] == row_size(0)
    assert np.isfinite(negatives).all()
    values = embedding_inputs(negatives)[:, :-2]
    assert ((values >= 0) & (values <= 5)).all()
    assert (values.std(axis=0) > 0).any()


def test_rest_poses_point_down_or_to_the_side(rng: np.random.Generator) -> None:
    hands = _hands(1, 20)
    hands[:, -2:] = (0, 1)  # upright
    label = np.repeat([0, 1], 10)
    rest = make_negatives(hands, label, np.full(20, "ann", object), "at rest", 50, rng)
    assert (embedding_inputs(rest)[:, -1] <= np.cos(np.deg2rad(120)) + 1e-5).all()


def test_transitions_start_near_the_first_letter(rng: np.random.Generator) -> None:
    hands = np.concatenate([_hands(1, 10), _hands(1, 10) + np.float32(6)])
    frames, ends = make_transitions(hands, np.repeat([0, 1], 10), np.full(20, "ann", object), 30, rng)
    assert len(ends)
    first = np.where(ends[:, 0] == 0, 0.0, 6.0)
    assert np.abs(embedding_inputs(frames[:, 0])[:, 0] - first).max() == pytest.approx(1, abs=1e-4)


def test_synthetic_embeddings_have_the_label_of_their_landmarks() -> None:
    stored = load_embeddings()
    assert stored.values.shape[1] == EMBEDDING_VALUES
    assert set(stored.label.tolist()) == {*range(len(LETTERS)), NO_LETTER}
    np.testing.assert_allclose(np.hypot(stored.values[:, -2], stored.values[:, -1]), 1, atol=2e-3)
    both = synthetic_samples(np.array([3, 5]), get_feature("both").contract, views=1)
    assert set(both.label.tolist()) == {3, 5, NO_LETTER}
    part = slice(10, 60)
    points, embeddings = split_hands(both.read(part))
    np.testing.assert_array_equal(points, both.points[part])
    assert embeddings.shape == (50, 2, EMBEDDING_VALUES)
    for embedding, letter in zip(embeddings[:, 0], both.label[part].tolist(), strict=True):
        assert (stored.values[stored.label == letter] == embedding).all(axis=1).any()
