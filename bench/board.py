"""The nursing board's first page: a clinic with 10,000 active tickets beside one with 100
(docs/design/performance.md, target 6).

    .venv/bin/python -m bench.board [--history 200000] [--rounds 60]

Through HTTP, one request at a time, the clinics in turns; the server has one core and everything else the other. Both
wards fill their first page. The larger clinic also has a history of years, which no page of today may notice; the list
of tickets, which reaches it all, is shown beside. Ratios are what counts: times drift.
"""

import argparse
import asyncio
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from time import perf_counter

import asyncpg
import httpx

from bench.report.ending import finish
from bench.report.results import Part, Table, Target
from core.db.migrate import upgrade
from core.operations.embedded import start_servers
from core.users.passwords.hashing import hash_password

TARGET = 3.0
ASKED = ("first page", "search by name")
PASSWORD = "a-bench-needs-one"
SMALL, LARGE = "SMAL", "LARG"
SIZES = {SMALL: 100, LARGE: 10_000}

# FPAs of a ward from 70 hours ago to ten days ahead, a quarter of them past; of history, back by a minute each.
FILL = """
WITH made AS (
    INSERT INTO patient (clinic_id, document_type, document, first_name, last_name, second_last_name, age, sex)
    SELECT $1, 'rut', 10000000 + n || '-' || n % 10, (ARRAY['Ana', 'José', 'María', 'Íñigo', 'Luis'])[1 + n % 5],
        (ARRAY['Rojas', 'Núñez', 'Muñoz', 'Díaz', 'Soto', 'Pérez', 'Contreras'])[1 + n % 7] || n % 97, 'Soto', 40, 'F'
    FROM generate_series($3::integer, $4::integer) n
    RETURNING id, split_part(document, '-', 1)::integer - 10000000 AS n
), timed AS (
    SELECT id AS patient_id, n, CASE WHEN $5 THEN now() - interval '70 hours' + n * 7 % 310 * interval '1 hour'
            ELSE now() - interval '80 hours' - n * interval '1 minute' END AS fpa,
        CASE WHEN $5 THEN 'active' WHEN n % 12 = 0 THEN 'annulled' ELSE 'discharged' END AS status
    FROM made
)
INSERT INTO ticket (id, clinic_id, year, number, patient_id, surgery_id, surgery_name, surgery_base_hours, surgery_at,
    admission_at, system_fpa, initial_fpa, current_fpa, overnight_stays, initial_overnight_stays, bed_number, location,
    episode_id, status, discharged_at, annulled_at, created_at, created_by)
SELECT format('TH-%s-2026-%s', $2::text, n), $1, 2026, n, patient_id, $6, 'Colecistectomía ' || n % 50, 24,
    fpa - interval '46 hours', fpa - interval '48 hours', fpa, fpa, fpa, 2, 2, (n % 400)::text, 'Piso ' || n % 9,
    CASE WHEN n % 3 > 0 THEN 'E-' || n END, status, CASE status WHEN 'discharged' THEN fpa END,
    CASE status WHEN 'annulled' THEN fpa END, fpa - interval '60 hours', 'bench'
FROM timed
"""
MODIFY = """
INSERT INTO fpa_modification (clinic_id, ticket_id, previous_fpa, new_fpa, reason, modified_by)
SELECT clinic_id, id, current_fpa, current_fpa, 'Fiebre', 'bench' FROM ticket WHERE number % 2 = 0
"""

BOARD, LIST = "/v1/nursing-board", "/v1/tickets"
READS: dict[str, tuple[str, dict[str, str | int]]] = {
    "first page": (BOARD, {}),
    "first page of 200": (BOARD, {"limit": 200}),
    "all views": (BOARD, {"view": "all"}),
    "search by name": (BOARD, {"q": "jose nuñez33"}),
    "list, newest first": (LIST, {}),
    "list, by patient": (LIST, {"sort": "patient"}),
    "list, search by name": (LIST, {"q": "jose nuñez33"}),
    "list, search by RUT": (LIST, {"q": "10.000.050-0"}),
    "list, search for nobody": (LIST, {"q": "nobody at all"}),
}


async def fill(url: str, history: int) -> None:
    connection = await asyncpg.connect(url)
    hashed = hash_password(PASSWORD)
    for prefix, active in SIZES.items():
        clinic = await connection.fetchval("INSERT INTO clinic (name, prefix) VALUES ($1, $1) RETURNING id", prefix)
        await connection.execute(
            "INSERT INTO app_user (username, email, password_hash, role, clinic_id) VALUES ($1, $1, $2, 'viewer', $3)",
            *(prefix, hashed, clinic),
        )
        specialty = await connection.fetchval(
            "INSERT INTO specialty (clinic_id, name) VALUES ($1, 'Cirugía') RETURNING id", clinic
        )
        surgery = await connection.fetchval(
            "INSERT INTO surgery (clinic_id, specialty_id, name, base_stay_hours) VALUES ($1, $2, 'C', 9) RETURNING id",
            *(clinic, specialty),
        )
        await connection.execute(FILL, clinic, prefix, 1, active, True, surgery)
        if prefix == LARGE:
            await connection.execute(FILL, clinic, prefix, active + 1, active + history, False, surgery, timeout=None)
    await connection.execute(MODIFY)
    await connection.execute("VACUUM ANALYZE")
    await connection.close()


def serve(database_url: str, redis_url: str, socket: Path) -> "subprocess.Popen[bytes]":
    environment = os.environ | {"DATABASE_URL": database_url, "REDIS_URL": redis_url}
    server = subprocess.Popen(
        [
            *(sys.executable, "-m", "uvicorn", "--factory", "api.app:create_app", "--uds", str(socket)),
            *("--no-access-log", "--log-level", "warning"),
        ],
        env=environment,
        stdout=subprocess.DEVNULL,
    )
    cores = sorted(os.sched_getaffinity(0))
    if len(cores) > 1:
        os.sched_setaffinity(server.pid, {cores[0]})
        os.sched_setaffinity(0, set(cores[1:]))
    return server


async def sign_in(socket: Path, username: str) -> httpx.AsyncClient:
    transport = httpx.AsyncHTTPTransport(uds=str(socket))
    client = httpx.AsyncClient(transport=transport, base_url="http://bench", timeout=30)
    body = {"username": username, "password": PASSWORD, "client": "mobile"}
    answer = await client.post("/v1/auth/login", json=body)
    answer.raise_for_status()
    client.headers["Authorization"] = f"Bearer {answer.json()['token']}"
    return client


async def measure(socket: Path, rounds: int, history: int) -> Part:
    async with asyncio.timeout(30):
        while not socket.exists():  # noqa: ASYNC110, ASYNC240  the server's first sign of life
            await asyncio.sleep(0.05)
    clients = {prefix: await sign_in(socket, prefix) for prefix in SIZES}
    rows, ratios = [], {}
    for name, (path, parameters) in READS.items():
        took: dict[str, list[float]] = {prefix: [] for prefix in SIZES}
        for number in range(rounds + 8):
            for prefix, client in clients.items():
                started = perf_counter()
                answer = await client.get(path, params=parameters)
                ms = (perf_counter() - started) * 1000
                answer.raise_for_status()
                if number >= 8:  # PostgreSQL decides on a plan by the first executions
                    took[prefix].append(ms)
        small, large = (statistics.median(took[prefix]) for prefix in SIZES)
        ratios[name] = large / small
        rows.append((name, f"{small:.1f}", f"{large:.1f}", f"{ratios[name]:.2f}"))
    for client in clients.values():
        await client.aclose()
    text = "with 10,000 active tickets, of that with 100"
    return Part(
        name="board",
        title="The nursing board",
        how=f"p50 of {rounds}, one request at a time; the larger clinic has {history:,} past tickets, too.",
        tables=[Table("", ("ms", "100 active", "10,000 active", "ratio"), rows)],
        targets=[Target(6, f"{name}: {text}", ratios[name], TARGET, at_least=False) for name in ASKED],
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--history", type=int, default=200_000)
    parser.add_argument("--rounds", type=int, default=60)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        servers = start_servers(Path(folder) / "data", durable=False)
        socket = Path(folder) / "http"
        try:
            upgrade(servers.database_url)
            asyncio.run(fill(servers.database_url, asked.history))
            server = serve(servers.database_url, servers.redis_url, socket)
            try:
                finish(asyncio.run(measure(socket, asked.rounds, asked.history)))
            finally:
                server.terminate()
                server.wait()
        finally:
            servers.stop()


if __name__ == "__main__":
    main()
