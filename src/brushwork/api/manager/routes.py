"""All endpoints for operators together."""

from fastapi import APIRouter

from brushwork.api.manager import accounts, codes, erasing, keys, records, wallets

router = APIRouter()
for chapter in (accounts, erasing, keys, wallets, records, codes):
    router.include_router(chapter.router)
