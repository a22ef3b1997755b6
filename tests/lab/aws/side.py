"""The lab's AWS: moto's server application in this process, one request at a time, mended where it is not faithful."""

from __future__ import annotations

import traceback
from collections.abc import Iterable, Mapping
from typing import Any, Literal

from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app

from tests.lab.aws import mends
from tests.lab.aws.ground import Ground, Settings, stand_on
from tests.lab.aws.protocol import Answer, forbid_request, read_request, refuse_request, reject_signature
from tests.lab.aws.region import RegionView
from tests.lab.aws.signature import is_genuine
from tests.lab.world import Clock, Environ, FaultKind


def _create_app(service: Any) -> Any:
    app = create_backend_app(service)
    app.config["PROPAGATE_EXCEPTIONS"] = True
    return app


class AwsSide(RegionView):
    """`Side` and `Region` of the AWS account of this process (moto's state is global: one account a process).

    ``network``: the lab's own slice of 127/8, such as "127.10": VPCs belong into 127.10.0.0/16; Elastic IPs and other
    public addresses come from the /16 after it, 127.11.0.0/16. Images: `VPX_IMAGE_ID` is in every region, always.

    Requests may come from many threads. moto is not safe against that, so they are carried out one after another;
    nothing waits while it holds the lock, so an injected latency must be spent before or after the call.
    """

    name: Literal["aws"] = "aws"

    def __init__(self, clock: Clock, network: str) -> None:
        super().__init__(Ground(clock, network))
        self.keys: Mapping[str, str | None] | None = None
        """Access key id → secret of those who may ask (None: any signature); None: anybody may."""
        mends.install()
        stand_on(self.ground)
        self._application = DomainDispatcherApplication(_create_app)
        self.reset()

    @property
    def settings(self) -> Settings:
        """How the region behaves (durations, quota, lag); `reset` puts the defaults back."""
        return self.ground.settings

    def __call__(self, environ: Environ, start_response: Any) -> Iterable[bytes]:
        asked = read_request(environ)  # from the wire before the lock is taken: a slow client holds up nobody
        if self.keys is not None and not is_genuine(environ, self.keys):
            return _say(start_response, reject_signature(asked))
        if asked.action in self.settings.unauthorized:
            return _say(start_response, forbid_request(asked))
        self.tick()
        with self.ground.lock:
            try:
                return list(self._application(environ, start_response))
            except Exception as error:  # noqa: BLE001 – the boundary where what moto cannot do becomes an AWS error
                traceback.print_exc()
                return _say(start_response, refuse_request("error", asked, f"{type(error).__name__}: {error}"))

    def describe(self, environ: Environ) -> tuple[str, bool]:
        request = read_request(environ)
        return request.action, request.writes

    def refusal(self, kind: FaultKind, environ: Environ) -> Answer:
        return refuse_request(kind, read_request(environ))


def _say(start_response: Any, answer: Answer) -> list[bytes]:
    status, headers, body = answer
    start_response(status, headers)
    return [body]
