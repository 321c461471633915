"""What the services answer over HTTP, typed: the same models for the routes and for every client.

Facts of `shared.contracts` are answered as they are; here is what only an answer says. Stands on contracts, and on the
few enums that delivery shares with its operators.
"""
