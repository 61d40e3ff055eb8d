"""Password hashes of the application that this one replaces, in Werkzeug's two formats. Pure.

`scrypt:32768:8:1$<salt>$<hex>` and `pbkdf2:sha256:600000$<salt>$<hex>`. They are only verified, never made: the first
sign-in replaces them.
"""

import hashlib
import hmac
import re
import unicodedata

SCRYPT_BYTES = 64
SCRYPT = re.compile(r"scrypt:([0-9]{1,8}):([0-9]{1,3}):([0-9]{1,3})\$([^$]+)\$([0-9a-f]{128})")
PBKDF2 = re.compile(r"pbkdf2:(sha1|sha224|sha256|sha384|sha512):([0-9]{1,8})\$([^$]+)\$([0-9a-f]+)")

MOST_MEMORY = 1 << 28
"""Bytes that scrypt may take; Werkzeug's own parameters take 32 MiB."""
MOST_ITERATIONS = 10_000_000


def is_legacy_hash(stored: str) -> bool:
    """Whether `verify_legacy` can say yes to some password."""
    return _scrypt(stored) is not None or _pbkdf2(stored) is not None


def verify_legacy(stored: str, password: str) -> bool:
    """Blocks for some 100 ms. False for what is none of the two formats.

    The old application hashed what the keyboard sent; ours may compose accents otherwise, so each form is tried.
    """
    forms = dict.fromkeys([password, *(unicodedata.normalize(form, password) for form in ("NFC", "NFD"))])
    return any(_matches(stored, form.encode("utf-8", "surrogatepass")) for form in forms)


def _matches(stored: str, password: bytes) -> bool:
    scrypt, pbkdf2 = _scrypt(stored), _pbkdf2(stored)
    if scrypt is not None:
        n, r, p, salt, expected = scrypt
        # OpenSSL wants a little more than 128 * n * r.
        found = hashlib.scrypt(password, salt=salt, n=n, r=r, p=p, maxmem=132 * n * r * p, dklen=SCRYPT_BYTES)
    elif pbkdf2 is not None:
        name, iterations, salt, expected = pbkdf2
        found = hashlib.pbkdf2_hmac(name, password, salt, iterations)
    else:
        return False
    return hmac.compare_digest(found, expected)


def _scrypt(stored: str) -> tuple[int, int, int, bytes, bytes] | None:
    """n, r, p, salt, hash; None for what is no scrypt hash, or one that OpenSSL would refuse."""
    found = SCRYPT.fullmatch(stored)
    if found is None:
        return None
    n, r, p = (int(found[place]) for place in (1, 2, 3))
    if n < 2 or n & (n - 1) or not r or not p or 132 * n * r * p > MOST_MEMORY:
        return None
    return n, r, p, found[4].encode(), bytes.fromhex(found[5])


def _pbkdf2(stored: str) -> tuple[str, int, bytes, bytes] | None:
    """Name of the digest, iterations, salt, hash; None for what is no PBKDF2 hash."""
    found = PBKDF2.fullmatch(stored)
    if found is None:
        return None
    name, iterations, digest = found[1], int(found[2]), found[4]
    if not 0 < iterations <= MOST_ITERATIONS or len(digest) != 2 * hashlib.new(name).digest_size:
        return None
    return name, iterations, found[3].encode("utf-8", "surrogatepass"), bytes.fromhex(digest)
