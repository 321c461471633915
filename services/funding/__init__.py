"""Funding: shares a province's envelope among its community learning centres by how effectively each works."""
