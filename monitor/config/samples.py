"""The samples that come with the program: the configuration, the plans, the units."""

from __future__ import annotations

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parents[1]


def installed_config() -> Path:
    """The directory with the sample configuration and the plans: in the wheel, or in a checkout."""
    return _installed("config")


def installed_systemd() -> Path:
    """The directory with the systemd units: in the wheel, or in a checkout."""
    return _installed("systemd")


def write_samples(directory: Path) -> list[Path]:
    """Copies the sample configuration with everything beside it into a directory, and returns the new files.

    The directory is made if need be. Raises FileExistsError, and writes nothing, if one of the files is there
    already; any other OSError as it comes.
    """
    source = installed_config()
    samples = sorted(path for path in source.rglob("*") if path.is_file())
    copies = [directory / sample.relative_to(source) for sample in samples]
    for copy in copies:
        if copy.exists() or copy.is_symlink():
            raise FileExistsError(f"{copy} exists already; nothing was written")
    for sample, copy in zip(samples, copies, strict=True):
        copy.parent.mkdir(parents=True, exist_ok=True)
        with copy.open("xb") as file:
            file.write(sample.read_bytes())
    return copies


def _installed(name: str) -> Path:
    in_wheel = _PACKAGE / f"{name}_samples"
    return in_wheel if in_wheel.is_dir() else _PACKAGE.parent / name
