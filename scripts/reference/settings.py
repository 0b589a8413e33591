"""reference/settings.md, from the fields of `Settings`."""

from pathlib import Path
from typing import Any, Literal, get_args, get_origin

from pydantic.fields import FieldInfo

from brushwork.settings import Settings
from reference.markdown import code, fence, page, table

EXAMPLES = {
    "data_dir": "/srv/brushwork",
    "database_url": "postgresql://brushwork@db.example/brushwork",
    "store_url": "s3://pictures/brushwork",
    "public_url": "https://pictures.example",
    "host": "0.0.0.0",
    "port": "9000",
    "engine": "diorama",
    "flow_model": "/srv/brushwork/flow",
    "models_dir": "/srv/models",
    "model_files": "/etc/brushwork/models.toml",
    "models": "sdxl,animagine-xl-4",
    "accept_licences": "CreativeML-OpenRAIL++-M",
    "offline": "true",
    "devices": "cuda:0,cuda:1",
    "precision": "float16",
    "memory_gb": "22",
    "batch": "4",
    "compile": "true",
    "attention": "native",
    "fp8": "true",
    "cache": "taylorseer",
    "deterministic": "true",
    "remote_url": "http://gpu-box.example:8000",
    "remote_key": "the-key-of-that-server",
    "remote_model": "z-image-turbo",
    "remote_edits": "true",
    "remote_fields": "seed,negative_prompt",
    "remote_steps": "30",
    "remote_guidance": "4",
    "workers": "4",
    "production": "true",
    "secret": "forty-random-characters-that-nobody-knows",
    "link_hours": "2",
    "result_days": "7",
    "followup_days": "1",
    "job_deadline_seconds": "600",
    "job_attempts": "2",
    "lease_seconds": "30",
    "max_concurrent_jobs": "12",
    "max_waiting_jobs": "200",
    "welcome_points": "5000",
    "max_body_mb": "25",
    "fetch_allow": "images.internal,10.0.0.0/8",
    "webhook_http": "true",
    "policy": "/etc/brushwork/policy.toml",
    "output_check": "our_checks.pictures:check",
    "provenance": "none",
    "c2pa_certificate": "/etc/brushwork/certificates.pem",
    "c2pa_key": "/etc/brushwork/key.pem",
    "metrics_key": "a-long-word-for-prometheus",
    "otel_url": "http://collector.example:4318",
    "log_format": "json",
    "log_level": "warning",
}
"""One working value for each setting; a setting without one stops the generator."""

TYPES: dict[Any, str] = {str: "text", int: "whole number", float: "number", bool: "`true` or `false`", Path: "folder"}

BOUNDS = {"ge": "at least", "gt": "more than", "le": "at most", "lt": "less than"}


def settings_page() -> str:
    fields = Settings.model_fields
    overview = table(
        ("variable", "default", "what it does"),
        [
            (f"[{code(variable(name))}](#{name})", shown_default(field.default), str(field.description))
            for name, field in fields.items()
        ],
    )
    return page("Settings", INTRODUCTION, overview, *(section(name, field) for name, field in fields.items()))


def section(name: str, field: FieldInfo) -> str:
    facts = f"Variable {code(variable(name))} · {type_of(field)} · default {shown_default(field.default)}"
    example = fence(f"{variable(name)}={EXAMPLES[name]}", "sh")
    return "\n\n".join((f"## {name}", str(field.description), facts, example))


def variable(name: str) -> str:
    return f"BRUSHWORK_{name.upper()}"


def type_of(field: FieldInfo) -> str:
    if get_origin(field.annotation) is Literal:
        return "one of " + ", ".join(code(choice) for choice in get_args(field.annotation))
    limits = [
        f"{words} {getattr(bound, attribute):g}"
        for bound in field.metadata
        for attribute, words in BOUNDS.items()
        if hasattr(bound, attribute)
    ]
    return ", ".join([TYPES[field.annotation], *limits])


def shown_default(default: Any) -> str:
    if isinstance(default, Path):  # the same text on every machine
        return code("~/" + default.relative_to(Path.home()).as_posix())
    if isinstance(default, bool):
        return code(str(default).lower())
    return "empty" if default == "" else code(f"{default:g}" if isinstance(default, float) else default)


INTRODUCTION = """
Every option of Brushwork, and there are no others. Set one in the environment, or as a line of a file named `.env` in
the folder Brushwork is started from; the environment wins. Each option works as it is, so an empty configuration is a
good one. `brushwork serve` has `--host`, `--port` and `--workers` for three of them.

A value that cannot be read stops the command with exit code 2 and names its variable.
"""
