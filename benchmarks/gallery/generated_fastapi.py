"""Serves what openapi-generator makes for FastAPI, with a handler that keeps what was sent: JAVA OPENAPI PORT."""

import importlib
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

NAMES = (
    "default_chat_service_sid",
    "default_messaging_service_sid",
    "default_inactive_timer",
    "default_closed_timer",
)


def main(java: str, document: str, port: str) -> None:
    """Make a server of a document, and serve it at a port of loopback."""
    import openapi_generator_cli  # this and uvicorn are installed beside the emulators, and not with the suite
    import uvicorn

    jar = Path(openapi_generator_cli.__file__).with_name("openapi-generator.jar")
    command = [java, "-jar", str(jar), "generate", "--input-spec", document]
    with tempfile.TemporaryDirectory() as directory:
        subprocess.run([*command, "--generator-name", "python-fastapi", "--output", directory], check=True)
        sys.path.insert(0, str(Path(directory, "src")))
        add_handler()
        app = importlib.import_module("openapi_server.main").app
        uvicorn.run(app, host="127.0.0.1", port=int(port), log_level="error")


def add_handler() -> None:
    """Give the generated package the handler that it asks its user to write."""
    apis, models = "openapi_server.apis.conversations_v1_configuration_api_base", "openapi_server.models"
    base: Any = importlib.import_module(apis).BaseConversationsV1ConfigurationApi
    model = importlib.import_module(models + ".conversations_v1_configuration").ConversationsV1Configuration
    kept: dict[str, str] = {}

    class Keeping(base):  # type: ignore[misc]  # the class is generated
        async def fetch_configuration(self) -> object:
            return model(**kept)

        async def update_configuration(self, *sent: str | None) -> object:
            kept.update({name: value for name, value in zip(NAMES, sent, strict=True) if value is not None})
            return model(**kept)


if __name__ == "__main__":
    main(*sys.argv[1:])
