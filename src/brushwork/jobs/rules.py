"""The numbers that a job's life obeys. The composition root fills them from the settings."""

from dataclasses import dataclass


@dataclass(frozen=True)
class JobRules:
    """All in seconds, but for the counts."""

    deadline_seconds: float = 3600
    """From acceptance; whatever has not ended by then fails, unpaid."""
    max_attempts: int = 3
    """How often a job is started: a job that kills its worker must end too."""
    lease_seconds: float = 15
    """How long a silent worker keeps its jobs."""
    followup_seconds: float = 3 * 86400
    """How long a finished job can be followed up."""
    result_seconds: float = 30 * 86400
    """How long an ended job and its files are kept."""
    max_waiting: int = 1000
    """Open jobs of one account beyond which a new one is refused."""
