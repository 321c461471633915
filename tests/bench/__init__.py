"""Speed side by side with baselines of the same run: `make bench`, `python -m tests.bench MODULE…`.

Each module has one `run`. Nothing is asserted about a time; how the figures are made stands in `docs/performance.md`.
"""
