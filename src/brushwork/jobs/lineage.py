"""Which job came of which: written when a job is accepted, read as a family tree of one account's jobs.

A job may have several parents, as blend has, and none is its own ancestor. A picture that came by a link of this server
makes its job, or the upload, a parent as well. What was erased or is past its time is not in the tree; those that came
of it keep pictures of their own (ADR 0021), and are tied to what it came of itself.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from brushwork.database.tables import files, follows, jobs
from brushwork.errors import FollowUpRefused, JobNotFound
from brushwork.jobs.job import ClientStatus, Job
from brushwork.jobs.rows import job_of

WHOLE = -1
"""In place of a picture's number: the job as a whole."""
MOST = 500
"""Jobs of one tree; a larger one is cut where it is farthest from the job that was asked for."""
AT_ONCE = 200
CONDEMNED = 0.0
"""`expires_at` of a job or an upload that is being removed: nothing can be made of it any more."""
GONE = "What this works on has just been erased, or its time is over."

EdgeKind = Literal["follow-up", "replay", "picture", "descent"]
"""`picture`: it came by a link; `descent`: by way of jobs that are not kept any more."""


@dataclass(frozen=True)
class Node:
    """A job of the family."""

    job_id: str
    task: str
    seed: int
    engine: str
    """Empty before it has been drawn."""
    status: ClientStatus
    created_at: float
    generation: int
    """0: the job that was asked for; -1: its parents; 1: its children."""


@dataclass(frozen=True)
class Edge:
    """`child` came of a picture of `parent`, or of all of it."""

    parent: str
    child: str
    number: int | None
    kind: EdgeKind


@dataclass(frozen=True)
class Family:
    """Ancestors and descendants of a job, oldest first."""

    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...]
    is_cut: bool
    """Whether there are more than are shown."""


def parents_of(row: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The rows that say where a new job comes from."""
    if replayed := row.get("replay_of"):
        return [edge_row(row["id"], replayed, WHOLE, "replay")]
    given = row.get("sources") or ()
    parents = [one["parent"] for one in given if one.get("parent")]
    named = dict.fromkeys((one["job_id"], WHOLE if one["number"] is None else one["number"]) for one in parents)
    linked_to = {one["origin"]: None for one in given if one.get("origin")}
    edges = [edge_row(row["id"], parent, number, "follow-up") for parent, number in named]
    return edges + [edge_row(row["id"], one, WHOLE, "picture") for one in linked_to if (one, WHOLE) not in named]


def edge_row(job_id: str, parent_id: str, number: int, kind: EdgeKind) -> dict[str, Any]:
    return {"job_id": job_id, "parent_id": parent_id, "number": number, "kind": kind}


async def tie(tx: AsyncConnection, row: Mapping[str, Any]) -> None:
    """Write down where a new job comes from, or raise FollowUpRefused: it must not outlive what was just erased.

    Whoever erases that waits until this job is there to be seen, or is seen here.
    """
    edges = parents_of(row)
    if not edges:
        return
    wanted = {edge["parent_id"] for edge in edges}
    for table in (jobs, files):  # an upload is a file without a job
        is_kept = sa.or_(table.c.expires_at.is_(None), table.c.expires_at != CONDEMNED)
        query = sa.select(table.c.id).where(table.c.id.in_(sorted(wanted)), is_kept).order_by(table.c.id)
        wanted -= set((await tx.execute(query.with_for_update(read=True))).scalars()) if wanted else set()
    if wanted:
        raise FollowUpRefused(GONE, reason="expired")
    await tx.execute(follows.insert(), edges)


async def tie_over(tx: AsyncConnection, job_ids: Sequence[str]) -> None:
    """Tie what came of jobs that are about to go to what those came of, so that no family falls apart."""
    above = (await tx.execute(sa.select(follows).where(follows.c.job_id.in_(job_ids)))).all()
    below = (await tx.execute(sa.select(follows).where(follows.c.parent_id.in_(job_ids)))).all()
    parents: dict[str, list[str]] = {}
    for edge in above:
        parents.setdefault(edge.job_id, []).append(edge.parent_id)
    going = set(job_ids)
    pairs = {
        (edge.job_id, ancestor): None
        for edge in below
        if edge.job_id not in going
        for ancestor in beyond(edge.parent_id, parents, going)
    }
    if pairs:
        rows = [edge_row(child, ancestor, WHOLE, "descent") for child, ancestor in pairs]
        await tx.execute(TIE_ANEW[tx.dialect.name], rows)


TIE_ANEW = {
    "sqlite": sqlite.insert(follows).on_conflict_do_nothing(),
    "postgresql": postgresql.insert(follows).on_conflict_do_nothing(),
}


def beyond(job_id: str, parents: Mapping[str, Sequence[str]], going: Collection[str]) -> list[str]:
    """The nearest ancestors of a job that do not go with it."""
    found: dict[str, None] = {}
    seen = {job_id}
    waiting = [job_id]
    while waiting:
        for parent in parents.get(waiting.pop(), ()):
            if parent not in going:
                found[parent] = None
            elif parent not in seen:
                seen.add(parent)
                waiting.append(parent)
    return list(found)


async def family(tx: AsyncConnection, account_id: int, job_id: str) -> Family:
    """The family of one job. Raises JobNotFound for unknown and foreign ones alike."""
    found = await own_jobs(tx, account_id, [job_id])
    if not found:
        raise JobNotFound
    generations = {job_id: 0}
    is_cut = False
    for step, near, far in ((-1, follows.c.job_id, follows.c.parent_id), (1, follows.c.parent_id, follows.c.job_id)):
        latest, generation = [job_id], 0
        while latest and not is_cut:
            generation += step
            relatives = [one for one in await linked(tx, near, far, latest) if one not in generations]
            more = await own_jobs(tx, account_id, relatives)
            is_cut = len(found) + len(more) > MOST
            latest = [one for one in relatives if one in more][: MOST - len(found)]
            found |= {one: more[one] for one in latest}
            generations |= dict.fromkeys(latest, generation)
    nodes = [node_of(job, generations[job.id]) for job in found.values()]
    edges = await edges_between(tx, found.keys())
    return Family(tuple(sorted(nodes, key=lambda node: (node.created_at, node.job_id))), tuple(edges), is_cut)


async def descendants(tx: AsyncConnection, account_id: int, origin: str) -> list[str]:
    """The ids of all jobs of the account that came of a job or an upload, nearest first, however many."""
    found: dict[str, None] = {}
    latest = [origin]
    while latest:
        own = sa.and_(jobs.c.id == follows.c.job_id, jobs.c.account_id == account_id)
        relatives: dict[str, None] = {}
        for some in portions(latest):
            step = sa.select(follows.c.job_id).join(jobs, own).where(follows.c.parent_id.in_(some))
            relatives |= dict.fromkeys((await tx.execute(step.order_by(follows.c.job_id))).scalars())
        latest = [one for one in relatives if one not in found and one != origin]
        found |= dict.fromkeys(latest)
    return list(found)


async def count_elsewhere(tx: AsyncConnection, account_id: int, origins: Collection[str]) -> int:
    """How many jobs of other accounts took a picture of these jobs or uploads, by links that they were given."""
    found: set[str] = set()
    for some in portions(origins):
        foreign = sa.and_(jobs.c.id == follows.c.job_id, jobs.c.account_id != account_id)
        query = sa.select(follows.c.job_id).join(jobs, foreign).where(follows.c.parent_id.in_(some))
        found |= set((await tx.execute(query)).scalars())
    return len(found)


async def own_jobs(tx: AsyncConnection, account_id: int, job_ids: Collection[str]) -> dict[str, Job]:
    found: dict[str, Job] = {}
    for some in portions(job_ids):
        rows = await tx.execute(jobs.select().where(jobs.c.account_id == account_id, jobs.c.id.in_(some)))
        found |= {row.id: job_of(row._mapping) for row in rows}
    return found


async def linked(tx: AsyncConnection, near: sa.Column[Any], far: sa.Column[Any], job_ids: Collection[str]) -> list[str]:
    """The jobs one step away from these, each once."""
    found: dict[str, None] = {}
    for some in portions(job_ids):
        step = sa.select(far).where(near.in_(some)).order_by(follows.c.job_id, follows.c.parent_id).limit(MOST)
        found |= dict.fromkeys((await tx.execute(step)).scalars())
    return list(found)


async def edges_between(tx: AsyncConnection, job_ids: Collection[str]) -> list[Edge]:
    edges: list[Edge] = []
    for some in portions(job_ids):
        rows = await tx.execute(
            sa.select(follows)
            .where(follows.c.job_id.in_(some))
            .order_by(follows.c.job_id, follows.c.parent_id, follows.c.number)
        )
        edges += [
            Edge(row.parent_id, row.job_id, None if row.number == WHOLE else row.number, row.kind)
            for row in rows
            if row.parent_id in job_ids
        ]
    return edges


def portions(job_ids: Collection[str]) -> list[Sequence[str]]:
    """A few at a time: a statement has room for so many values."""
    every = list(job_ids)
    return [every[at : at + AT_ONCE] for at in range(0, len(every), AT_ONCE)]


def node_of(job: Job, generation: int) -> Node:
    engine = str((job.detail or {}).get("engine") or "")
    return Node(job.id, job.task, job.seed, engine, job.client_status, job.created_at, generation)
