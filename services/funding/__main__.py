"""`python -m services.funding`."""

from services.funding.app import main

main()
