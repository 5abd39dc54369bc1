from itertools import combinations_with_replacement, permutations

import pytest

from aslkit.core.errors import InputError
from aslkit.datasets.licences import ADAPTATION_LICENCES, UNKNOWN, combine_licences

BY, SA, NC, NC_SA = "CC-BY-4.0", "CC-BY-SA-4.0", "CC-BY-NC-4.0", "CC-BY-NC-SA-4.0"
CHART = {  # Creative Commons' FAQ, "Can I combine material under different Creative Commons licenses in my work?"
    ("CC0-1.0", "CC0-1.0"): "CC0-1.0", ("CC0-1.0", BY): BY, ("CC0-1.0", SA): SA, ("CC0-1.0", NC): NC,
    ("CC0-1.0", NC_SA): NC_SA, (BY, BY): BY, (BY, SA): SA, (BY, NC): NC, (BY, NC_SA): NC_SA, (SA, SA): SA,
    (SA, NC): None, (SA, NC_SA): None, (NC, NC): NC, (NC, NC_SA): NC_SA, (NC_SA, NC_SA): NC_SA,
}  # fmt: skip


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
        combine_licences([licence], allow_unknown=True)


@pytest.mark.parametrize("missing", [None, "", "  ", "unknown"])
def test_missing_licence_must_be_allowed(missing: str | None) -> None:
    with pytest.raises(InputError, match="--allow-unknown-licence"):
        combine_licences([missing, BY])
    assert combine_licences([missing, BY], allow_unknown=True) == UNKNOWN
    with pytest.raises(InputError, match="share-alike"):  # other checks still apply
        combine_licences([missing, SA, NC], allow_unknown=True)


def test_custom_licence_cannot_be_combined() -> None:
    with pytest.raises(InputError, match=r"does not know the licence 'For my class only\.'"):
        combine_licences(["For my class only.", "CC0-1.0"])


def test_adaptation_table_is_transitive() -> None:
    """Otherwise the result would depend on the order of merging."""
    for licence, allowed in ADAPTATION_LICENCES.items():
        for combined in allowed:
            assert set(ADAPTATION_LICENCES[combined]) <= set(allowed), (licence, combined)
