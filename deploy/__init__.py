"""Ways to run Langhoc: ``local`` (real servers without containers)."""
