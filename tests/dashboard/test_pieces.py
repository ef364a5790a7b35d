"""A gzip body made of pieces is what its pieces are."""

from __future__ import annotations

import gzip

from hypothesis import given
from hypothesis import strategies as st

from dashboard.document import painted
from dashboard.pieces import Piece, gzipped


@given(st.lists(st.binary(max_size=2000), max_size=5))
def test_pieces_that_were_compressed_apart_are_one_body(parts: list[bytes]) -> None:
    assert gzip.decompress(gzipped(*(Piece.of(part) for part in parts))) == b"".join(parts)


def test_the_first_paint_stands_in_the_document_however_it_is_sent() -> None:
    document = b"<body><div id=first><!--first--></div></body>"
    first = Piece.of(b"<main>1.204</main>")
    plain = painted(document, first, gzip=False)
    assert plain == b"<body><div id=first><main>1.204</main></div></body>"
    assert gzip.decompress(painted(document, first, gzip=True)) == plain
