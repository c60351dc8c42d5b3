"""``python -m monitor`` is ``ringback``."""

from monitor.cli import main

main(prog_name="ringback")
