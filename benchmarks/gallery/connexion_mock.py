"""Serves an OpenAPI document with connexion, which answers by its examples: python connexion_mock.py OPENAPI PORT."""

import os
import sys
from pathlib import Path


def known(username: str, password: str) -> dict[str, str]:
    """Let anybody in who sends any credentials: connexion asks its user to say who is known."""
    return {"sub": username, "secret": password}


def main(document: str, port: str) -> None:
    """Serve a document at a port of loopback."""
    import connexion  # it is installed beside the emulators, and not with the suite
    from connexion.mock import MockResolver

    os.environ["BASICINFO_FUNC"] = "connexion_mock.known"
    app = connexion.AsyncApp(__name__, specification_dir=str(Path(document).parent))
    app.add_api(Path(document).name, resolver=MockResolver(mock_all=True), strict_validation=True)
    app.run(host="127.0.0.1", port=int(port), log_level="error")


if __name__ == "__main__":
    main(*sys.argv[1:])
