"""What is to be watched and what was agreed about it: YAML files to values, with every mistake at its line."""

from monitor.config.loading import load
from monitor.config.mistakes import ConfigurationErrors, Mistake
from monitor.config.samples import installed_config, installed_systemd, write_samples
from monitor.config.values import (
    AgentConfig,
    CheckConfig,
    Configuration,
    ModuleConfig,
    ProbeConfig,
    ServiceConfig,
    Terms,
)

__all__ = [
    "AgentConfig",
    "CheckConfig",
    "Configuration",
    "ConfigurationErrors",
    "Mistake",
    "ModuleConfig",
    "ProbeConfig",
    "ServiceConfig",
    "Terms",
    "installed_config",
    "installed_systemd",
    "load",
    "write_samples",
]
