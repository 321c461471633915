"""Cases as data: what provinces send, the ministry corrects, officers order and time does, and what must come of it.

`tests/cases/README.md` describes the files. `case` reads them, `records` makes wire records of them, `playing` plays
them on a world (`in_memory` or `on_platform`), `expecting` compares what was published with what was expected.
"""
