"""All endpoints for operators together."""

from fastapi import APIRouter

from brushwork.api.manager import accounts, codes, keys, records, wallets

router = APIRouter()
for chapter in (accounts, keys, wallets, records, codes):
    router.include_router(chapter.router)
