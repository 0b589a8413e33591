"""What is in deploy/ fits the program: settings, commands and extras that exist, metrics that are really told."""

import asyncio
import json
import re
import shlex
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import typer
import yaml
from prometheus_client.parser import text_string_to_metric_families

from brushwork.app import create_app
from brushwork.cli.command import app
from brushwork.settings import Settings
from tests.conftest import NewDatabase

ROOT = Path(__file__).parent.parent
DEPLOY = ROOT / "deploy"
METRIC = re.compile(r"brushwork_[a-z0-9_]+")
SUFFIXES = ("_total", "_bucket", "_count", "_sum")
VARIABLE = re.compile(r"\$\{([A-Z0-9_]+)")


def compose() -> dict[str, Any]:
    read: dict[str, Any] = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
    return read


SERVICES: dict[str, dict[str, Any]] = compose()["services"]
OURS = {name: service for name, service in SERVICES.items() if str(service.get("image")).startswith("brushwork:")}


def known_metrics() -> set[str]:
    """The headings of the reference, which is written by what /metrics answers."""
    page = (ROOT / "docs" / "reference" / "metrics.md").read_text()
    return set(re.findall(r"^## (brushwork_\w+)$", page, re.MULTILINE))


async def live_metrics(url: str) -> set[str]:
    """What a server with nothing in its database names, when it is asked."""
    app = create_app(Settings(_env_file=None, database_url=url, engine="noop"))
    transport = httpx.ASGITransport(app)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url="http://brushwork.test") as client,
    ):
        text = (await client.get("/metrics")).text
    return {family.name for family in text_string_to_metric_families(text)}


def base_of(name: str) -> str:
    return next((name.removesuffix(suffix) for suffix in SUFFIXES if name.endswith(suffix)), name)


def expressions() -> Iterator[str]:
    """Every query of the dashboard and the alerts."""
    for panel in json.loads((DEPLOY / "grafana" / "dashboards" / "brushwork.json").read_text())["panels"]:
        yield from (target["expr"] for target in panel.get("targets", ()))
    for group in yaml.safe_load((DEPLOY / "alerts.yml").read_text())["groups"]:
        yield from (rule["expr"] for rule in group["rules"])


def test_the_services_are_a_web_process_and_workers_beside_what_they_need() -> None:
    assert OURS.keys() == {"web", "worker", "worker-gpu"}
    assert {"postgres", "s3", "balancer", "prometheus", "grafana"} <= SERVICES.keys()


@pytest.mark.parametrize("name", OURS)
def test_every_setting_in_the_compose_file_exists_and_takes_its_value(name: str) -> None:
    environment = OURS[name]["environment"]
    ours = {key: str(value) for key, value in environment.items() if key.startswith("BRUSHWORK_")}
    fields = {key.removeprefix("BRUSHWORK_").lower(): filled(value) for key, value in ours.items()}

    assert fields.keys() <= Settings.model_fields.keys()
    settings = Settings.model_validate(fields)
    assert settings.database_url.startswith("postgresql://")
    assert settings.store_url.startswith("s3://")


def filled(value: str) -> str:
    """`${NAME:-default}` as its default, `${NAME:?}` as a word."""
    return re.sub(r"\$\{\w+(?::-([^}]*)|:\?)?\}", lambda match: "word" if match[1] is None else match[1], value)


@pytest.mark.parametrize("name", OURS)
def test_every_command_in_the_compose_file_is_understood(name: str) -> None:
    command, *arguments = OURS[name]["command"].split()
    known: Any = typer.main.get_command(app)

    known.commands[command].make_context(command, arguments)


def test_everything_that_is_named_is_there() -> None:
    read = compose()
    for name, service in SERVICES.items():
        assert set(service.get("depends_on", ())) <= SERVICES.keys(), name
        for volume in service.get("volumes", ()):
            source = volume.partition(":")[0]
            assert (DEPLOY / source).exists() if source.startswith(".") else source in read["volumes"], volume
        for kind in ("configs", "secrets"):
            for used in service.get(kind, ()):
                assert (used if isinstance(used, str) else used["source"]) in read[kind], name
        assert name in OURS or re.search(r":[\w.]+$", service["image"]), f"{name} has no version"
    for service in OURS.values():
        assert (DEPLOY / service["build"]["context"] / service["build"]["dockerfile"]).exists()


def test_what_has_to_be_set_is_in_the_example() -> None:
    text = (DEPLOY / "compose.yaml").read_text()
    example = dict(line.split("=", 1) for line in (DEPLOY / ".env.example").read_text().splitlines() if "=" in line)

    assert set(re.findall(r"\$\{([A-Z0-9_]+):\?\}", text)) <= example.keys() <= set(VARIABLE.findall(text))


def test_the_extras_of_the_images_exist() -> None:
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    wanted = [OURS["worker-gpu"]["build"]["args"]["EXTRAS"]]
    wanted += re.findall(r"^ARG EXTRAS=(.+)$", (DEPLOY / "Dockerfile").read_text(), re.MULTILINE)

    assert {name for names in wanted for name in names.split(",")} <= extras.keys()


def test_dashboard_and_alerts_use_metrics_that_exist() -> None:
    used = {base_of(name) for expression in expressions() for name in METRIC.findall(expression)}

    assert used <= known_metrics()
    assert known_metrics() - used == set(), "a metric that nobody looks at"


def test_a_live_server_tells_every_metric_that_is_looked_at(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, new_sqlite: NewDatabase
) -> None:
    monkeypatch.setenv("BRUSHWORK_DATA_DIR", str(tmp_path / "data"))
    used = {base_of(name) for expression in expressions() for name in METRIC.findall(expression)}

    told = asyncio.run(live_metrics(new_sqlite()))

    assert used - told <= {name for name in used if name.startswith("brushwork_forecast_")}  # nothing to compare yet


def test_panels_do_not_lie_on_each_other() -> None:
    panels = json.loads((DEPLOY / "grafana" / "dashboards" / "brushwork.json").read_text())["panels"]
    places = [panel["gridPos"] for panel in panels]
    cells = [
        (x, y)
        for place in places
        for x in range(place["x"], place["x"] + place["w"])
        for y in range(place["y"], place["y"] + place["h"])
    ]

    assert len(set(cells)) == len(cells)
    assert max(x for x, _ in cells) < 24
    assert len({panel["id"] for panel in panels}) == len(panels)


def test_what_the_image_copies_is_there_and_reaches_the_build() -> None:
    lines = (DEPLOY / "Dockerfile").read_text().replace("\\\n", " ").splitlines()
    sources = [word for line in lines if line.startswith("COPY ") for word in shlex.split(line)[1:-1]]
    everything, *exceptions = (DEPLOY / "Dockerfile.dockerignore").read_text().split()

    assert everything == "*"
    assert {"pyproject.toml", "src"} <= set(sources)
    for source in sources:
        assert (ROOT / source).exists(), source
        assert f"!{source}" in exceptions, source
    packaged = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    read_by_the_build = {packaged["readme"], *packaged.get("license-files", ())}
    assert read_by_the_build <= set(sources)


def test_every_variable_that_is_named_in_deploy_exists() -> None:
    known = {f"BRUSHWORK_{name.upper()}" for name in Settings.model_fields}
    for file in DEPLOY.rglob("*"):
        if file.is_file():
            assert set(re.findall(r"BRUSHWORK_[A-Z0-9_]+", file.read_text())) <= known, file


def test_labels_in_queries_exist() -> None:
    page = (ROOT / "docs" / "reference" / "metrics.md").read_text()
    known = set(re.findall(r"`(\w+)`", " ".join(re.findall(r"^Labels: .+$", page, re.MULTILINE))))
    known |= {"instance", "le", "job"}
    for expression in expressions():
        used = {label for group in re.findall(r"by \(([^)]*)\)", expression) for label in group.split(", ")}
        used |= set(re.findall(r"[{,]\s*(\w+)\s*=~?", expression))
        assert used <= known, expression


def test_prometheus_reads_the_rules_and_asks_the_web_processes() -> None:
    read = yaml.safe_load((DEPLOY / "prometheus.yml").read_text())
    (job,) = read["scrape_configs"]

    assert all((DEPLOY / name).exists() for name in read["rule_files"])
    assert job["dns_sd_configs"][0]["names"] == ["web"]
    assert job["authorization"]["credentials_file"] == "/run/secrets/metrics_key"
