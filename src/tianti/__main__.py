"""`python -m tianti`."""

from tianti.cli import main

main()
