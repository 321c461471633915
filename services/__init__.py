"""One package per independently deployable service. Services never import each other."""
