"""`python -m services.scoring`."""

from services.scoring.app import main

main()
