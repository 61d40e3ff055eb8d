from hypothesis import given
from hypothesis import strategies as st

from core.sessions.copies import from_json
from core.sessions.token import LENGTH, REMEMBERED, Tokens

TOKENS = Tokens(["first-key", "old-key"])


def test_a_token_comes_back_as_the_digest_it_was_issued_with() -> None:
    token, digest = TOKENS.issue()
    assert len(token) == LENGTH
    assert TOKENS.digest(token) == digest
    assert Tokens(["first-key"]).digest(token) == digest


def test_two_tokens_differ() -> None:
    assert len({TOKENS.issue() for _ in range(100)}) == 100


def test_a_token_signed_with_an_old_key_still_counts_and_a_dropped_key_does_not() -> None:
    token, digest = Tokens(["old-key"]).issue()
    assert TOKENS.digest(token) == digest
    assert Tokens(["first-key"]).digest(token) is None


def test_the_first_key_signs() -> None:
    token, _ = TOKENS.issue()
    assert Tokens(["old-key"]).digest(token) is None


def test_every_changed_character_is_noticed() -> None:
    token, _ = TOKENS.issue()
    for place in range(len(token)):
        for other in "AQgwz-.é":
            forged = token[:place] + other + token[place + 1 :]
            if forged != token:
                assert TOKENS.digest(forged) is None, place


def test_a_truncated_or_longer_token_is_none() -> None:
    token, _ = TOKENS.issue()
    for length in range(len(token)):
        assert TOKENS.digest(token[:length]) is None
    assert TOKENS.digest(token + "A") is None
    assert TOKENS.digest(token * 1000) is None
    assert TOKENS.digest(" " + token) is None


def test_a_signature_for_something_else_is_none() -> None:
    """The keys sign other things too; each purpose has its salt."""
    from itsdangerous import Signer

    token, _ = TOKENS.issue()
    identity = token.partition(".")[0]
    assert TOKENS.digest(Signer("first-key").sign(identity).decode()) is None


@given(st.text(max_size=300) | st.text(st.characters(codec="ascii"), min_size=LENGTH, max_size=LENGTH))
def test_garbage_is_none(token: str) -> None:
    assert TOKENS.digest(token) is None


def test_what_is_remembered_is_bounded_and_forgotten_tokens_still_count() -> None:
    tokens = Tokens(["key"])
    first, digest = tokens.issue()
    tokens.digest(first)
    for _ in range(REMEMBERED + 1):
        tokens.digest(tokens.issue()[0])
    assert len(tokens._verified) == REMEMBERED
    assert tokens.digest(first) == digest


@given(st.binary(max_size=300))
def test_a_copy_that_is_garbage_is_a_miss(raw: bytes) -> None:
    assert from_json(b"d" * 32, raw) is None
