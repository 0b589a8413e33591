"""Where files are kept: a folder, S3, GCS or Azure by URL, and the rows that say which of them a client may see.

A worker puts bytes under a path that only it knows, then publishes them in the transaction that completes the job;
a file without a row is invisible and is swept away with its job.
"""

import contextlib
import hashlib
import uuid
from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlparse
from urllib.request import url2pathname

import obstore
import sqlalchemy as sa
from obstore.exceptions import BaseError, NotFoundError
from obstore.store import LocalStore, MemoryStore, ObjectStore, from_url
from sqlalchemy.ext.asyncio import AsyncConnection

from brushwork.database.session import Database
from brushwork.database.tables import erasures, jobs
from brushwork.database.tables import files as files_table
from brushwork.errors import FileNotFound, TooManyRequests, Unavailable
from brushwork.files.links import Links, extension_of
from brushwork.files.stored import StoredFile

CHUNK = 1 << 20

UPLOADED_BYTES = 5_000_000_000
"""What one account may keep in uploads; nobody should be able to fill the disk of all."""


def open_store(url: str) -> ObjectStore:
    """The store behind a URL: `file:///folder`, `s3://bucket/prefix`, `gs://…`, `az://…`, `memory://`.

    Cloud credentials come from the environment, as their own tools read them (AWS_ACCESS_KEY_ID, AWS_ENDPOINT_URL, …).
    """
    parsed = urlparse(url)
    if parsed.scheme == "file":
        folder = Path(url2pathname(parsed.path))
        folder.mkdir(parents=True, exist_ok=True)
        return LocalStore(prefix=folder, automatic_cleanup=True)  # a folder goes with its last file
    if parsed.scheme == "memory":
        return MemoryStore()
    if parsed.scheme in ("s3", "s3a", "gs", "az", "abfs", "abfss"):
        return from_url(url)
    raise ValueError(
        f"{url!r} is not a store URL; use file:///folder, s3://bucket/prefix, gs://bucket or az://container"
    )


@dataclass(frozen=True)
class OpenFile:
    """A published file, ready to be read in parts."""

    id: str
    job_id: str | None
    """None for an upload."""
    content_type: str
    size: int
    created_at: float
    path: str
    store: ObjectStore

    async def read(self, start: int = 0, end: int | None = None) -> AsyncIterator[bytes]:
        """The bytes from `start` up to but not including `end`, in chunks. Raises FileNotFound when they are gone.

        Unavailable when they are there, but cannot be had.
        """
        stop = self.size if end is None else end
        for at in range(start, stop, CHUNK):
            try:
                part = await obstore.get_range_async(self.store, self.path, start=at, end=min(at + CHUNK, stop))
            except (NotFoundError, FileNotFoundError) as error:
                raise FileNotFound from error
            except (BaseError, OSError) as error:
                raise Unavailable("The store of files does not answer as it should; try again later.") from error
            if len(part) != min(at + CHUNK, stop) - at:
                raise Unavailable("The file is damaged: a part of it is missing.")
            yield bytes(part)


def digest(data: bytes) -> str:
    """SHA-256 in hex: by which a file is known when it comes back."""
    return hashlib.sha256(data).hexdigest()


PUBLISH = files_table.insert()


def rows_of(
    files: Sequence[StoredFile], *, account_id: int, job_id: str | None, now: float, expires_at: float
) -> list[dict[str, Any]]:
    """What to `PUBLISH` of the files of a job, or of an upload."""
    return [
        {
            "id": file.id,
            "account_id": account_id,
            "job_id": job_id,
            "path": file.path,
            "content_type": file.content_type,
            "size": file.size,
            "width": file.width,
            "height": file.height,
            "sha256": file.sha256,
            "created_at": now,
            "expires_at": expires_at,
        }
        for file in files
    ]


class Files:
    """Owns the store and signs links to what is in it."""

    def __init__(self, database: Database, store: ObjectStore, links: Links) -> None:
        self.database = database
        self.store = store
        self.links = links

    async def put(self, path: str, data: bytes, content_type: str) -> None:
        """Write a file whole. Nobody sees it before it is published."""
        # LocalStore knows no attributes; the content type is in the row and is sent from there.
        del content_type
        await obstore.put_async(self.store, path, data)

    async def put_file(self, path: str, source: Path) -> None:
        """Write a file that is on this machine's disk, in parts: it never is in memory as a whole."""
        await obstore.put_async(self.store, path, source)

    async def copy(self, source: str, target: str) -> None:
        """Make the store copy one of its files. Raises FileNotFound when it is gone, Unavailable when it cannot."""
        try:
            await obstore.copy_async(self.store, source, target)
        except (NotFoundError, FileNotFoundError) as error:
            raise FileNotFound from error
        except (BaseError, OSError) as error:
            raise Unavailable("The store of files does not answer as it should; try again later.") from error

    async def read(self, path: str) -> bytes:
        """A file as a whole. Raises FileNotFound when it is gone, Unavailable when it cannot be had."""
        try:
            return bytes(await (await obstore.get_async(self.store, path)).bytes_async())
        except (NotFoundError, FileNotFoundError) as error:
            raise FileNotFound from error
        except (BaseError, OSError) as error:
            raise Unavailable("The store of files does not answer as it should; try again later.") from error

    async def delete(self, paths: Iterable[str]) -> None:
        """Remove files; missing ones are fine."""
        every = list(paths)
        if len(every) > 1:
            # A cloud takes up to a thousand in one request, if it can; one that is missing spoils it for the others.
            with contextlib.suppress(BaseError, FileNotFoundError):
                await obstore.delete_async(self.store, every)
                return
        for path in every:
            try:
                await obstore.delete_async(self.store, path)
            except (NotFoundError, FileNotFoundError):
                continue

    async def delete_folder(self, prefix: str) -> None:
        """Remove everything under `prefix/`, published or not; an empty or missing folder is fine."""
        async for found in obstore.list(self.store, prefix=prefix):
            await self.delete([str(file["path"]) for file in found])

    async def folders(self, prefix: str) -> list[str]:
        """The names of the folders in `prefix/`."""
        found = await obstore.list_with_delimiter_async(self.store, prefix=prefix)
        return [path.rstrip("/").rpartition("/")[2] for path in found["common_prefixes"]]

    async def older(self, prefix: str, before: float) -> AsyncIterator[list[str]]:
        """The files directly under `prefix/` that were written before that moment, some at a time."""
        async for found in obstore.list(self.store, prefix=prefix):
            yield [str(file["path"]) for file in found if file["last_modified"].timestamp() < before]

    async def newest(self, prefix: str) -> float:
        """When the last file under `prefix/` was written; 0 when there is none."""
        times = [0.0]
        async for found in obstore.list(self.store, prefix=prefix):
            times += [file["last_modified"].timestamp() for file in found]
        return max(times)

    async def publish(
        self,
        tx: AsyncConnection,
        *,
        account_id: int,
        job_id: str | None,
        files: Sequence[StoredFile],
        now: float,
        expires_at: float,
    ) -> None:
        """Make files visible to their owner, in the transaction that completes their job. Uploads have no job."""
        rows = rows_of(files, account_id=account_id, job_id=job_id, now=now, expires_at=expires_at)
        if rows:
            await tx.execute(PUBLISH, rows)

    async def keep(self, account_id: int, png: bytes, *, size: tuple[int, int], now: float, ends: float) -> StoredFile:
        """Keep a picture that an account uploaded, until `ends`. Raises TooManyRequests when it keeps too much."""
        file_id = uuid.uuid4().hex
        file = StoredFile(file_id, f"uploads/{file_id}.png", "image", "image/png", len(png), *size, digest(png))
        # The row first: a crash in between leaves a row that ends with its time, and no file that nobody remembers.
        async with self.database.write() as tx:
            await refuse_hoarding(tx, account_id, len(png), now=now)
            await self.publish(tx, account_id=account_id, job_id=None, files=[file], now=now, expires_at=ends)
        try:
            await self.put(file.path, png, file.content_type)
        except (BaseError, OSError) as error:
            async with self.database.write() as tx:
                await tx.execute(files_table.delete().where(files_table.c.id == file_id))
            raise Unavailable("The store of files does not answer as it should; try again later.") from error
        async with self.database.read() as tx:
            is_there = (await tx.execute(sa.select(files_table.c.id).where(files_table.c.id == file_id))).first()
        if not is_there:  # its account was erased meanwhile
            await self.delete([file.path])
            raise FileNotFound
        return file

    def link(self, file_id: str, content_type: str, *, now: float) -> str:
        """An absolute, signed, expiring URL."""
        return self.links.link(file_id, content_type, now=now)

    async def open_link(self, url: str, *, now: float) -> OpenFile | None:
        """The file behind a link of this server, or None when the URL is not one. Raises FileNotFound like `open`."""
        link = self.links.parse(url)
        if link is None:
            return None
        file = await self.open(link.file_id, expires=link.expires, signature=link.signature, now=now)
        if link.extension != extension_of(file.content_type):
            raise FileNotFound
        return file

    async def open(self, file_id: str, *, expires: str | None, signature: str | None, now: float) -> OpenFile:
        """The file behind a link. Raises FileNotFound for an altered or expired link, or a file past its time."""
        self.links.check(file_id, expires=expires, signature=signature, now=now)
        async with self.database.read() as tx:
            row = (await tx.execute(sa.select(files_table).where(files_table.c.id == file_id, ~OF_ERASED))).first()
            if row is None or (row.expires_at is not None and row.expires_at < now and not await is_pinned(tx, row)):
                raise FileNotFound
        return OpenFile(
            id=row.id,
            job_id=row.job_id,
            content_type=row.content_type,
            size=row.size,
            created_at=row.created_at,
            path=row.path,
            store=self.store,
        )

    async def is_writable(self) -> bool:
        """Whether the store takes and gives up a small file right now."""
        try:
            probe = f"health/{uuid.uuid4().hex}"  # two that look at once must not take away each other's
            await obstore.put_async(self.store, probe, b"ok")
            await obstore.delete_async(self.store, probe)
        except Exception:  # whatever a store raises, the answer is no
            return False
        return True


OF_ERASED = sa.exists().where(erasures.c.account_id == files_table.c.account_id)
"""Whether the account of a file is erased or being erased: no link opens it from then on."""


async def is_pinned(tx: AsyncConnection, row: Any) -> bool:
    """Whether the job of a file keeps it past its time."""
    return (await tx.execute(sa.select(jobs.c.pinned).where(jobs.c.id == row.job_id))).scalar_one_or_none() is True


async def refuse_hoarding(tx: AsyncConnection, account_id: int, size: int, *, now: float) -> None:
    """Raise TooManyRequests when `size` more bytes of uploads are too many for the account."""
    uploads = (
        (files_table.c.account_id == account_id) & files_table.c.job_id.is_(None) & (files_table.c.expires_at > now)
    )
    query = sa.select(sa.func.coalesce(sa.func.sum(files_table.c.size), 0), sa.func.min(files_table.c.expires_at))
    kept, first_end = (await tx.execute(query.where(uploads))).one()
    if kept + size > UPLOADED_BYTES:
        raise TooManyRequests(
            f"This account keeps {int(kept)} bytes of uploads; the limit is {UPLOADED_BYTES}.",
            retry_after=max(1, int((first_end or now) - now)),
            limit=UPLOADED_BYTES,
        )
