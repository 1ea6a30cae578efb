"""The web server around the application, and how it stops."""

from types import FrameType

import uvicorn

from cloud.app.application import create_app
from cloud.settings import Settings

_MAXIMUM_MESSAGE_BYTES = 1_048_576  # of the channel; the largest message has some tens of kilobytes


class Server(uvicorn.Server):
    """Serves until it is told to stop or its background work breaks.

    Attributes:
        has_failed: whether it stopped because something broke.
    """

    def __init__(self, settings: Settings) -> None:
        self.has_failed = False
        self._app = create_app(settings, on_failure=self._fail)
        super().__init__(
            uvicorn.Config(
                self._app,
                host=settings.host,
                port=settings.port,
                loop="uvloop",
                http="httptools",
                ws="websockets-sansio",
                ws_max_size=_MAXIMUM_MESSAGE_BYTES,
                ws_per_message_deflate=False,  # which would double a channel's memory for messages of a few words
                lifespan="on",
                log_config=None,
                access_log=False,
                server_header=False,
                proxy_headers=True,
                forwarded_allow_ips=list(settings.proxies),
                timeout_graceful_shutdown=settings.stop_s,
            )
        )

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Stop; streams that never end by themselves are ended first."""
        super().handle_exit(sig, frame)
        self._app.state.hub.end()

    def _fail(self) -> None:
        self.has_failed = True
        self.should_exit = True
        self._app.state.hub.end()
