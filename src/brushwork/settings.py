"""Every option once: type, default, one sentence. Set with BRUSHWORK_<NAME> in the environment or a `.env` file.

Only `app` and `cli` read this; everyone else gets plain values.
"""

from ipaddress import ip_address
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import Field, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

EngineName = Literal["auto", "diffusers", "diorama", "flow", "noop", "remote"]


class Settings(BaseSettings):
    """What an operator may choose. Each option works as it is."""

    model_config = SettingsConfigDict(env_prefix="BRUSHWORK_", env_file=".env", extra="ignore", frozen=True)

    data_dir: Annotated[
        Path, Field(description="Folder for the database, the files, the secret and the first key.")
    ] = Path.home() / ".brushwork"
    database_url: Annotated[
        str, Field(description="sqlite:///FILE or postgresql://USER@HOST/NAME; empty means SQLite in the data folder.")
    ] = ""
    store_url: Annotated[
        str,
        Field(
            description="file:///FOLDER, s3://BUCKET/PREFIX, gs://… or az://…; empty means a folder in the data folder."
        ),
    ] = ""
    public_url: Annotated[
        str, Field(description="Address under which clients reach the server; it begins every link to a file.")
    ] = ""
    host: Annotated[str, Field(description="Address the server listens on; 0.0.0.0 for every network card.")] = (
        "127.0.0.1"
    )
    port: Annotated[int, Field(ge=0, le=65535, description="Port the server listens on.")] = 8080
    engine: Annotated[
        EngineName,
        Field(
            description="What draws: auto takes the best engine this machine has; noop draws nothing, for benchmarks."
        ),
    ] = "auto"
    flow_model: Annotated[
        str, Field(description="Folder with the networks of the engine `flow`; empty means those that ship with it.")
    ] = ""
    models_dir: Annotated[
        str, Field(description="Folder of downloaded models; empty means `models` in the data folder.")
    ] = ""
    model_files: Annotated[
        str, Field(description="TOML files with models of your own, separated by commas; they add to the catalog.")
    ] = ""
    models: Annotated[
        str, Field(description="Models to draw with, by name, best first; empty means all that are installed.")
    ] = ""
    accept_licences: Annotated[
        str, Field(description="Licences with conditions that you have read and accept, by name, separated by commas.")
    ] = ""
    offline: Annotated[bool, Field(description="Never ask a model hub for anything.")] = False
    devices: Annotated[
        str,
        Field(description="What workers draw on, one each, such as cuda:0,cuda:1; empty: every GPU, else the CPU."),
    ] = ""
    precision: Annotated[
        Literal["auto", "bfloat16", "float16", "float32"],
        Field(description="Numbers that models are computed in; auto is bfloat16 on GPUs that have it, else float32."),
    ] = "auto"
    memory_gb: Annotated[
        float, Field(ge=0, le=10_000, description="Memory of a device that models may fill; 0 means what it has.")
    ] = 0.0
    batch: Annotated[int, Field(ge=1, le=256, description="Pictures that are denoised together at most.")] = 8
    compile: Annotated[bool, Field(description="Compile models when they are loaded: slow at first, then quicker.")] = (
        False
    )
    attention: Annotated[
        str, Field(description="Attention backend of diffusers, such as native or flash; auto takes what works here.")
    ] = "auto"
    fp8: Annotated[bool, Field(description="Keep weights in eight bits: half the memory, slightly other pictures.")] = (
        False
    )
    cache: Annotated[
        Literal["none", "taylorseer", "magcache"],
        Field(description="Skip denoising steps by extrapolation, on a fixed schedule, with models of many steps."),
    ] = "none"
    deterministic: Annotated[
        bool,
        Field(description="The same bytes whoever shares a batch: fixed batch sizes, no shortcuts."),
    ] = False
    remote_url: Annotated[
        str, Field(description="Address of a server with the OpenAI image API, for the engine `remote`.")
    ] = ""
    remote_key: Annotated[str, Field(description="Key for that server.")] = ""
    remote_model: Annotated[str, Field(description="Model to ask that server for; empty means its own choice.")] = ""
    remote_edits: Annotated[bool, Field(description="That server has /v1/images/edits and a model for it.")] = False
    remote_fields: Annotated[
        str, Field(description="Fields beyond OpenAI's own that it honours, as seed,negative_prompt; else by name.")
    ] = ""
    remote_steps: Annotated[
        int, Field(ge=0, le=1000, description="Denoising steps to ask that server for; 0 leaves them to it.")
    ] = 0
    remote_guidance: Annotated[
        float, Field(ge=0, le=20, description="Guidance to ask that server for; 0 leaves it to it.")
    ] = 0.0
    workers: Annotated[
        int,
        Field(ge=0, le=64, description="Worker processes that `serve` starts, on GPUs per device; 0 starts none."),
    ] = 1
    production: Annotated[
        bool, Field(description="Refuse what only makes sense while trying things out, such as the noop engine.")
    ] = False
    secret: Annotated[
        str, Field(description="Key that signs file links; empty means one is made and kept in the data folder.")
    ] = ""
    link_hours: Annotated[float, Field(gt=0, le=876_000, description="How long a link to a file works.")] = 24.0
    result_days: Annotated[float, Field(gt=0, le=36_500, description="How long files and jobs are kept.")] = 30.0
    followup_days: Annotated[
        float, Field(gt=0, le=36_500, description="How long a finished job can be followed up.")
    ] = 3.0
    job_deadline_seconds: Annotated[
        float, Field(gt=0, le=31_536_000, description="A job that has not ended by then fails, unpaid.")
    ] = 3600.0
    job_attempts: Annotated[int, Field(ge=1, le=20, description="How often a job is tried when its worker dies.")] = 3
    lease_seconds: Annotated[
        float, Field(ge=1, le=86_400, description="How long a silent worker keeps its jobs before others take them.")
    ] = 15.0
    max_concurrent_jobs: Annotated[
        int,
        Field(
            ge=1,
            le=1_000_000,
            description="Jobs of one new account that may be queued or running at once; others wait.",
        ),
    ] = 6
    max_waiting_jobs: Annotated[
        int,
        Field(
            ge=1,
            le=1_000_000,
            description="Unfinished jobs of one account beyond which a new one is answered with 429.",
        ),
    ] = 1000
    welcome_points: Annotated[
        int, Field(ge=0, le=1_000_000_000, description="Points that the first account starts with.")
    ] = 100_000
    max_body_mb: Annotated[float, Field(gt=0, le=10_000, description="Largest request body, in megabytes.")] = 10.0
    fetch_allow: Annotated[
        str,
        Field(description="Hosts, host:port and networks off the public internet that a client's URL may lead to."),
    ] = ""
    webhook_http: Annotated[
        bool, Field(description="Let webhooks go to plain http:// addresses too, not only to https://.")
    ] = False
    policy: Annotated[
        str, Field(description="TOML file with the words that prompts may not hold; empty: nothing is screened.")
    ] = ""
    output_check: Annotated[
        str,
        Field(description="Python function module:name that sees each picture and may refuse it; empty means none."),
    ] = ""
    provenance: Annotated[
        Literal["none", "minimal", "full"],
        Field(
            description="What files say of themselves: nothing, that Brushwork made them, or the prompt and seed too."
        ),
    ] = "minimal"
    c2pa_certificate: Annotated[
        str, Field(description="PEM file with the certificates that sign pictures by C2PA; empty: not signed.")
    ] = ""
    c2pa_key: Annotated[str, Field(description="PEM file with the private key of the first certificate.")] = ""
    metrics_key: Annotated[
        str, Field(description="Bearer token that /metrics asks for; empty: whoever reaches the server may read it.")
    ] = ""
    otel_url: Annotated[
        str, Field(description="OpenTelemetry collector (OTLP over HTTP) that gets the traces; empty: none are made.")
    ] = ""
    log_format: Annotated[Literal["auto", "console", "json"], Field(description="Shape of the log lines.")] = "auto"
    log_level: Annotated[
        Literal["debug", "info", "warning", "error"], Field(description="The least severe lines that are logged.")
    ] = "info"

    @field_validator("public_url")
    @classmethod
    def without_slash(cls, url: str) -> str:
        if url and not url.startswith(("http://", "https://")):
            raise ValueError("must begin with http:// or https://")
        return url.rstrip("/")

    @field_validator("remote_url", "otel_url")
    @classmethod
    def is_http(cls, url: str) -> str:
        if url and not url.startswith(("http://", "https://")):
            raise ValueError("must begin with http:// or https://")
        return url.rstrip("/")

    @property
    def resolved_database_url(self) -> str:
        return self.database_url or f"sqlite:///{self.data_dir.resolve() / 'brushwork.db'}"

    @property
    def resolved_store_url(self) -> str:
        return self.store_url or f"file://{self.data_dir.resolve() / 'files'}"

    @property
    def resolved_models_dir(self) -> Path:
        return Path(self.models_dir) if self.models_dir else self.data_dir / "models"

    @property
    def resolved_public_url(self) -> str:
        host = "127.0.0.1" if self.host in ("0.0.0.0", "::") else self.host
        return self.public_url or f"http://{f'[{host}]' if ':' in host else host}:{self.port}"

    @property
    def is_out_of_reach(self) -> bool:
        """Whether only this machine can ask the server: by its own address, and by the one that it gives to others."""
        hosts = (self.host, urlsplit(self.resolved_public_url).hostname or "")
        return not self.production and all(is_loopback(host) for host in hosts)


def is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
