"""Every way in which an assertion can be forged, cut off or bent, by kind. None of them signs anybody in."""

import hashlib
import hmac
import json
import time
from collections.abc import Callable, Iterator
from typing import Any

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from jwt.algorithms import ECAlgorithm

from tests.support.iap import ALSO, AUDIENCE, ISSUER, Signer, claims_of, compact, part

Forgeries = Iterator[tuple[str, str | bytes]]


def forgeries(signer: Signer, email: str, elsewhere: str) -> Forgeries:
    """(what is wrong, the header's value), for the email of a user who may come in. `elsewhere` is a server that has
    another key by the same id."""
    yield from of_signatures(signer, email)
    yield from of_algorithms(signer, email)
    yield from of_keys(signer, email, elsewhere)
    yield from of_claims(signer, email)
    yield from of_headers(signer, email)
    yield from of_forms(signer, email)


def of_signatures(signer: Signer, email: str) -> Forgeries:
    right, claims = signer.assertion(email), claims_of(email)
    signed, _, signature = right.rpartition(".")
    header = {"alg": "ES256", "kid": signer.key_id}
    yield "another key by the same id", Signer(signer.key_id).assertion(email)
    yield "no signature", f"{signed}."
    yield "a signature of nothing", compact(header, claims, lambda _: bytes(64))
    yield "half a signature", f"{signed}.{signature[:43]}"
    yield "a signature and more", f"{signed}.{signature}AAAA"
    yield "a signature in DER", compact(header, claims, lambda given: signer.key.sign(given, ec.ECDSA(hashes.SHA256())))
    yield (
        "another digest",
        compact(header, claims, lambda given: ECAlgorithm(ECAlgorithm.SHA384).sign(given, signer.key)),
    )
    yield (
        "somebody else's claims",
        ".".join([signed.partition(".")[0], part(claims_of("superuser@example.org")), signature]),
    )
    yield "another header", ".".join([part(header | {"typ": "JWT", "x": 1}), signed.partition(".")[2], signature])


def of_algorithms(signer: Signer, email: str) -> Forgeries:
    claims, public = claims_of(email), signer.key.public_key()
    for none in ("none", "None", "NONE", "nOnE", "", None):
        yield f"alg {none!r} without signature", compact({"alg": none, "kid": signer.key_id}, claims)
        yield (
            f"alg {none!r}, signed all the same",
            compact({"alg": none, "kid": signer.key_id}, claims, signer.signature),
        )
    secrets = {
        "PEM": public.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo),
        "DER": public.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo),
        "point": public.public_bytes(serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint),
        "JWK": json.dumps(signer.jwk).encode(),
        "nothing": b"",
    }
    for form, secret in secrets.items():
        for digest in ("256", "384", "512"):
            signed = mac(secret, digest)
            yield (
                f"HS{digest} with the public key ({form})",
                compact({"alg": f"HS{digest}", "kid": signer.key_id}, claims, signed),
            )
    words = ("ES384", "ES512", "ES256K", "EdDSA", "RS256", "PS256", "HS256", "es256", "ES256 ")
    others: list[Any] = [*words, ["ES256"], {}, 256, True]
    for other in others:
        header = {"alg": other, "kid": signer.key_id}
        yield f"alg {other!r} over a right signature", compact(header, claims, signer.signature)
    yield "no alg", compact({"kid": signer.key_id}, claims, signer.signature)
    key, header = rsa.generate_private_key(65537, 2048), {"alg": "RS256", "kid": signer.key_id}
    yield "RS256", compact(header, claims, lambda given: key.sign(given, padding.PKCS1v15(), hashes.SHA256()))


def mac(secret: bytes, digest: str) -> Callable[[bytes], bytes]:
    return lambda given: hmac.new(secret, given, getattr(hashlib, f"sha{digest}")).digest()


def of_keys(signer: Signer, email: str, elsewhere: str) -> Forgeries:
    forger = Signer(signer.key_id)
    for key_id in (None, "", 0, True, [], [signer.key_id], {"kid": signer.key_id}):
        yield f"kid {key_id!r}", compact({"alg": "ES256", "kid": key_id}, claims_of(email), signer.signature)
    yield "no kid", compact({"alg": "ES256"}, claims_of(email), signer.signature)
    for key_id in (
        f"../{signer.key_id}",
        f"/etc/{signer.key_id}",
        elsewhere,
        f"{signer.key_id}\0",
        f" {signer.key_id}",
        "' OR 1=1 --",
        signer.key_id.upper() + "x",
    ):
        yield f"kid {key_id!r}", Signer(key_id, forger.key).assertion(email)
    yield "a key elsewhere (jku)", forger.assertion(email, header={"jku": elsewhere})
    yield "a key elsewhere (x5u)", forger.assertion(email, header={"x5u": elsewhere})
    yield "a key within (jwk)", forger.assertion(email, header={"jwk": forger.jwk})
    yield "a key within (x5c)", forger.assertion(email, header={"x5c": ["MIIB"]})


def of_claims(signer: Signer, email: str) -> Forgeries:
    now = int(time.time())
    foreign = "/projects/666/apps/foreign"
    wrong: dict[str, list[Any]] = {
        "aud": [
            *(None, "", foreign, AUDIENCE + "/", AUDIENCE[:-1], AUDIENCE.upper(), f" {AUDIENCE}", "*", 1, True),
            *([], [AUDIENCE], [AUDIENCE, ALSO], [AUDIENCE, foreign], [foreign], [[AUDIENCE]], f"{AUDIENCE},{ALSO}"),
            *({"aud": AUDIENCE}, {AUDIENCE: True}),
        ],
        "iss": [
            *(None, "", "https://accounts.google.com", ISSUER + "/", ISSUER.upper(), [ISSUER], {}, 1),
            *("cloud.google.com/iap", ISSUER.replace("https", "http")),
        ],
        "exp": [
            *(None, now - 60, 0, -1, True, "never", "", [], {}, [now + 600]),
            *(float("-inf"), float("nan"), float("inf")),
        ],
        "iat": [None, now + 300, "now", [], {}, float("inf"), float("nan"), 10**400],
        "nbf": [now + 300, "later", [], {}, float("inf")],
        "sub": [None, "", 0, 1234567890, [], {}, True],
        "email": [
            *(None, "", 0, True, [], [email], {"email": email}, "nobody", "@", f"{email}@", f"@{email}"),
            *(f" {email}", f"{email} ", f"{email}\n", f"{email}\0", f"a\n{email}", f"{email},superuser@example.org"),
            *("\ud800@example.org", "\u212aarla@example.org", "a" * 300 + "@example.org", f"{email}@example.org"),
        ],
    }
    for claim, values in wrong.items():
        for value in values:
            yield f"{claim} {value!r}"[:80], signer.assertion(email, **{claim: value})
        header, null = {"alg": "ES256", "kid": signer.key_id}, claims_of(email) | {claim: None}
        yield f"{claim} null", compact(header, null, signer.signature)
    for claims in (b"", b"null", b"[]", b'"x"', b"{", b"\xff", b"[" * 3000, b'{"exp": 1e400}'):
        yield f"claims {claims[:20]!r}", compact({"alg": "ES256", "kid": signer.key_id}, claims, signer.signature)
    yield "oversized claims", signer.assertion(email, google={"access_levels": ["x" * 100] * 200})
    yield "a claim of 64 KiB", signer.assertion(email, hd="x" * 65536)


def of_headers(signer: Signer, email: str) -> Forgeries:
    critical: list[dict[str, Any]] = [
        *({"crit": ["b64"], "b64": True}, {"crit": ["exp"], "exp": 1}, {"crit": ["x"]}, {"crit": []}, {"crit": "b64"}),
        *({"crit": None}, {"b64": True}, {"b64": 0}, {"b64": "false"}, {"b64": None}),
    ]
    for more in critical:
        header = {"alg": "ES256", "kid": signer.key_id, **more}
        yield f"header {more}", compact(header, claims_of(email), signer.signature)
    detached = {"alg": "ES256", "kid": signer.key_id, "crit": ["b64"], "b64": False}
    plain = json.dumps(claims_of(email)).encode()
    signature = part(signer.signature(f"{part(detached)}.".encode() + plain))
    yield "detached", f"{part(detached)}..{signature}"
    yield "unencoded", f"{part(detached)}.{plain.decode()}.{signature}"
    for written in (b"", b"null", b"[]", b'"ES256"', b"{", b"\xff", b"[" * 3000):
        signed = f"{part(written)}.{part(claims_of(email))}"
        yield f"header {written[:20]!r}", f"{signed}.{part(signer.signature(signed.encode()))}"


def of_forms(signer: Signer, email: str) -> Forgeries:
    right = signer.assertion(email)
    header, claims, signature = right.split(".")
    yield from (
        (f"{form!r}", form) for form in ("", ".", "..", "...", "a.b.c", "null", "{}", "e30.e30.e30", "=" * 40, "%00")
    )
    for length in (1, len(header), len(header) + 1, len(header) + len(claims) + 1, len(right) - 20, len(right) - 1):
        yield f"its first {length} characters", right[:length]
    yield "its end", right[20:]
    yield "two, with a comma", f"{right}, {right}"
    yield "one and a comma", f"{right},"
    yield "as a bearer token", f"Bearer {right}"
    yield "as a mixed case bearer token", f"bEaReR {right}"
    yield "with quotes", f'"{right}"'
    yield "with a prefix", f"accounts.google.com:{right}"
    yield "as an email", email
    yield "encrypted", f"{right}.{claims}.{signature}"
    yield "as JSON", json.dumps({"protected": header, "payload": claims, "signature": signature})
    yield "blanks inside", right.replace(".", " . ")
    yield "with junk in base64", right.replace(".", "!.", 1)
    yield "in Latin-1", right.encode() + b"\xe9\xff"
    yield "64 KiB of letters", "a" * 65536
    yield "64 KiB of dots", "." * 65536
    yield "64 KiB after it", right + "A" * 65536
