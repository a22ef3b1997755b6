"""The lab's AWS: moto's server application in this process, one request at a time, mended where it is not faithful."""

from __future__ import annotations

import time
import traceback
from collections.abc import Iterable, Mapping
from typing import Any, Literal

from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app

from tests.lab.aws import mends
from tests.lab.aws.dates import dated
from tests.lab.aws.ground import Ground, Settings, stand_on
from tests.lab.aws.iam import principals
from tests.lab.aws.iam.decide import statements_of
from tests.lab.aws.iam.gate import stop
from tests.lab.aws.iam.needs import needs
from tests.lab.aws.iam.simulate import read_question, results
from tests.lab.aws.protocol import (
    Answer,
    AwsRequest,
    forbid_request,
    no_such_entity,
    query_answer,
    read_request,
    refuse_request,
    reject_signature,
)
from tests.lab.aws.region import RegionSnapshot
from tests.lab.aws.signature import is_genuine, key_of
from tests.lab.world import Clock, Environ, FaultKind


def _create_app(service: Any) -> Any:
    app = create_backend_app(service)
    app.config["PROPAGATE_EXCEPTIONS"] = True
    return app


class AwsSide(RegionSnapshot):
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
        """Access key id → secret of allowed callers (None: any signature), besides IAM's; None: all callers."""
        self.enforces = False
        """Whether IAM decides what users and roles may do; without it every key may do everything."""
        mends.install()
        stand_on(self.ground)
        self._application = DomainDispatcherApplication(_create_app)
        self.reset()

    @property
    def settings(self) -> Settings:
        """How the region behaves (durations, quota, lag); `reset` puts the defaults back."""
        return self.ground.settings

    def __call__(self, environ: Environ, start_response: Any) -> Iterable[bytes]:
        start_response = dated(start_response, self.settings.clock_skew)
        asked = read_request(environ)  # from the wire before the lock is taken: a slow client blocks no other
        if self.keys is not None and not self._knows(environ):
            return _say(start_response, reject_signature(asked))
        if asked.action in self.settings.unauthorized:
            return _say(start_response, forbid_request(asked))
        self.tick()
        with self.ground.lock:
            try:
                instead = self._gate(asked, environ)
                if instead is not None:
                    return _say(start_response, instead)
                return list(self._application(environ, start_response))
            except Exception as error:  # noqa: BLE001 – the boundary where what moto cannot do becomes an AWS error
                traceback.print_exc()
                return _say(start_response, refuse_request("error", asked, f"{type(error).__name__}: {error}"))
            finally:
                if asked.writes:
                    self.ground.changed()

    def hand_over(self, name: str, key_id: str, secret: str) -> None:
        """An administrator of this name has this key from now on; a reset forgets him."""
        with self.ground.lock:
            principals.has_administrator(name, key_id, secret)

    def _knows(self, environ: Environ) -> bool:
        keys, key_id = dict(self.keys or {}), key_of(environ)
        if key_id is not None and key_id not in keys:
            with self.ground.lock:
                secret = principals.secret_of(key_id)
            keys |= {key_id: secret} if secret is not None else {}
        return is_genuine(environ, keys)

    def _gate(self, asked: AwsRequest, environ: Environ) -> Answer | None:
        """What is answered instead of carrying this out, if it may not be or moto cannot. The log learns its needs."""
        limited = self.settings.throttled and asked.service == "ec2"
        if limited and not self.ground.request_tokens.take(asked.action, asked.fields, time.monotonic()):
            return refuse_request("throttle", asked)
        desired = needs(asked.service, asked.action, asked.fields, principals.account())
        environ["lab.said"] = {"needs": list(dict.fromkeys(need.action for need in desired))}
        who = principals.principal_of(key_of(environ))
        instead = stop(asked, who, desired) if self.enforces else None
        if instead is None and (asked.service, asked.action) == ("iam", "SimulatePrincipalPolicy"):
            return _simulation(asked)
        return instead

    def describe(self, environ: Environ) -> tuple[str, bool]:
        request = read_request(environ)
        return request.action, request.writes

    def refusal(self, kind: FaultKind, environ: Environ) -> Answer:
        return refuse_request(kind, read_request(environ))


def _simulation(asked: AwsRequest) -> Answer:
    arn = asked.fields.get("PolicySourceArn", "")
    who = principals.principal_named(arn)
    if who is None:
        return no_such_entity(asked, f"There is no user or role {arn}.")
    return query_answer(asked, results(read_question(asked.fields), statements_of(who.documents)))


def _say(start_response: Any, answer: Answer) -> list[bytes]:
    status, headers, body = answer
    start_response(status, headers)
    return [body]
