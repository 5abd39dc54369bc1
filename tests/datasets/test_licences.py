from itertools import combinations_with_replacement, permutations

import pytest

from aslkit.core.errors import InputError
from aslkit.datasets.licences import MAY_BECOME, UNKNOWN, combine_licences

BY, SA, NC, NC_SA = "CC-BY-4.0", "CC-BY-SA-4.0", "CC-BY-NC-4.0", "CC-BY-NC-SA-4.0"
CHART = {  # Creative Commons' FAQ, "Can I combine material under different Creative Commons licenses in my work?"
    ("CC0-1.0", "CC0-1.0"): "CC0-1.0", ("CC0-1.0", BY): BY, ("CC0-1.0", SA): SA, ("CC0-1.0", NC): NC,
    ("CC0-1.0", NC_SA): NC_SA, (BY, BY): BY, (BY, SA): SA, (BY, NC): NC, (BY, NC_SA): NC_SA, (SA, SA): SA,
    (SA, NC): None, (SA, NC_SA): None, (NC, NC): NC, (NC, NC_SA): NC_SA, (NC_SA, NC_SA): NC_SA,
}  # fmt: skip


@pytest.mark.parametrize("pair", list(combinations_with_replacement(("CC0-1.0", BY, SA, NC, NC_SA), 2)))
def test_creative_commons_own_chart(pair: tuple[str, str]) -> None:
    for parts in permutations(pair):
        if CHART[pair] is None:
            with pytest.raises(InputError, match="cannot be made one dataset: share-alike"):
                combine_licences(parts)
        else:
            assert combine_licences(parts) == CHART[pair]


@pytest.mark.parametrize(
    ("parts", "whole"),
    [
        (["MIT", "MIT"], "MIT"),
        (["MIT", "Apache-2.0"], "Apache-2.0"),
        (["MIT", BY], BY),
        (["Apache-2.0", NC_SA, "CC0-1.0"], NC_SA),
        (["cc by 4.0", "CC_BY_SA_4.0"], SA),  # as people write them
        (["For my class only."] * 2, "For my class only."),
    ],
)
def test_what_a_whole_may_be_under(parts: list[str], whole: str) -> None:
    assert combine_licences(parts) == whole


@pytest.mark.parametrize("licence", ["CC-BY-ND-4.0", "CC-BY-NC-ND-4.0"])
def test_no_adaptations_means_no_dataset_even_alone(licence: str) -> None:
    with pytest.raises(InputError, match=f"{licence} allows no adaptations"):
        combine_licences([licence], allow_unknown=True)


@pytest.mark.parametrize("nothing", [None, "", "  ", "unknown"])
def test_nothing_stated_is_refused_until_allowed(nothing: str | None) -> None:
    with pytest.raises(InputError, match="--allow-unknown-licence"):
        combine_licences([nothing, BY])
    assert combine_licences([nothing, BY], allow_unknown=True) == UNKNOWN
    with pytest.raises(InputError, match="share-alike"):  # allowing the unknown allows nothing else
        combine_licences([nothing, SA, NC], allow_unknown=True)


def test_terms_of_ones_own_go_with_nothing_else() -> None:
    with pytest.raises(InputError, match=r"'For my class only\.' is no licence that aslkit knows"):
        combine_licences(["For my class only.", "CC0-1.0"])


def test_the_table_is_closed() -> None:
    """What a whole may become, an adaptation of that whole may become: or merging would depend on its order."""
    for licence, may in MAY_BECOME.items():
        for whole in may:
            assert set(MAY_BECOME[whole]) <= set(may), (licence, whole)
