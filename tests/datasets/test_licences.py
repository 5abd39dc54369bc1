from collections.abc import Sequence
from itertools import combinations_with_replacement, permutations

import pytest

from aslkit.core.errors import InputError
from aslkit.datasets.licences import ADAPTATION_LICENCES, UNKNOWN, reject_private
from aslkit.datasets.licences import combine_licences as combine_rows
from aslkit.formats.licences import PRIVATE

BY, SA, NC, NC_SA = "CC-BY-4.0", "CC-BY-SA-4.0", "CC-BY-NC-4.0", "CC-BY-NC-SA-4.0"
CHART = {  # Creative Commons' FAQ, "Can I combine material under different Creative Commons licenses in my work?"
    ("CC0-1.0", "CC0-1.0"): "CC0-1.0", ("CC0-1.0", BY): BY, ("CC0-1.0", SA): SA, ("CC0-1.0", NC): NC,
    ("CC0-1.0", NC_SA): NC_SA, (BY, BY): BY, (BY, SA): SA, (BY, NC): NC, (BY, NC_SA): NC_SA, (SA, SA): SA,
    (SA, NC): None, (SA, NC_SA): None, (NC, NC): NC, (NC, NC_SA): NC_SA, (NC_SA, NC_SA): NC_SA,
}  # fmt: skip


def combine_licences(licences: Sequence[str | None], *, allow_private: bool = False) -> str:
    """Combine the licences of one signer."""
    return combine_rows([("ada", licence) for licence in licences], allow_private=allow_private)


@pytest.mark.parametrize("pair", list(combinations_with_replacement(("CC0-1.0", BY, SA, NC, NC_SA), 2)))
def test_creative_commons_chart(pair: tuple[str, str]) -> None:
    for parts in permutations(pair):
        if CHART[pair] is None:
            with pytest.raises(InputError, match="cannot be combined into one dataset: a share-alike"):
                combine_licences(parts)
        else:
            assert combine_licences(parts) == CHART[pair]


@pytest.mark.parametrize(
    ("parts", "combined"),
    [
        (["MIT", "MIT"], "MIT"),
        (["MIT", "Apache-2.0"], "Apache-2.0"),
        (["MIT", BY], BY),
        (["Apache-2.0", NC_SA, "CC0-1.0"], NC_SA),
        (["cc by 4.0", "CC_BY_SA_4.0"], SA),  # non-canonical spelling
        (["For my class only."] * 2, "For my class only."),
    ],
)
def test_combined_licence(parts: list[str], combined: str) -> None:
    assert combine_licences(parts) == combined


@pytest.mark.parametrize("licence", ["CC-BY-ND-4.0", "CC-BY-NC-ND-4.0"])
def test_no_derivatives_licence_is_rejected(licence: str) -> None:
    with pytest.raises(InputError, match=f"{licence} forbids adaptations"):
        combine_licences([licence], allow_private=True)


@pytest.mark.parametrize("missing", [None, "", "  ", "unknown"])
def test_missing_licence_must_be_allowed(missing: str | None) -> None:
    with pytest.raises(InputError, match=r"Images of ada state no licence.*--allow-private"):
        combine_licences([missing, BY])
    assert combine_licences([missing, BY], allow_private=True) == UNKNOWN
    with pytest.raises(InputError, match="share-alike"):  # other checks still apply
        combine_licences([missing, SA, NC], allow_private=True)


@pytest.mark.parametrize("private", ["private", " Private "])
def test_private_images_must_be_allowed(private: str) -> None:
    rows = [("maria", private), ("jon", BY), ("lin", private), ("lin", None)]
    for check in (reject_private, combine_rows):
        with pytest.raises(InputError, match=r"images of lin, maria are private.*signers\.toml.*--allow-private"):
            check(rows)
    assert combine_rows(rows, allow_private=True) == PRIVATE
    with pytest.raises(InputError, match="share-alike"):  # other checks still apply
        combine_licences([PRIVATE, SA, NC], allow_private=True)


def test_error_lists_few_private_signers() -> None:
    with pytest.raises(InputError, match="images of s0, s1, s2, s3, s4 and 3 more are private"):
        reject_private([(f"s{number}", PRIVATE) for number in range(8)])


def test_custom_licence_cannot_be_combined() -> None:
    with pytest.raises(InputError, match=r"does not know the licence 'For my class only\.'"):
        combine_licences(["For my class only.", "CC0-1.0"])


def test_adaptation_table_is_transitive() -> None:
    """Otherwise the result would depend on the order of merging."""
    for licence, allowed in ADAPTATION_LICENCES.items():
        for combined in allowed:
            assert set(ADAPTATION_LICENCES[combined]) <= set(allowed), (licence, combined)
