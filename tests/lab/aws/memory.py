"""What the AWS side has in mind: moto's backends of every service that was used, and the mends' own notes.

moto keeps backends by service, account and region in dictionaries of its own class that everything else asks, so the
dictionaries stay and their contents are exchanged.
"""

from __future__ import annotations

from typing import Any

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from moto.core.base_backend import AccountSpecificBackend, BackendDict, backend_lock
from moto.core.model_instances import reset_model_data
from moto.s3.models import s3_backends

from tests.lab.aws.ground import Ground
from tests.lab.aws.mends.targets import all_groups

KINDS = (BackendDict, AccountSpecificBackend, RSAPrivateKey)
"""What a copy must refer to and not hold: the dictionaries, and keys, which never change and are not pickled."""


def collect(ground: Ground) -> dict[str, Any]:
    """Return everything that a reset deletes; the caller holds the lock of `Ground` while it uses the result."""
    with backend_lock:
        services = [
            (service, account, dict(regions.items()))
            for service in BackendDict._instances
            for account, regions in service.items()
        ]
    # Which account has which bucket: moto keeps it beside the backends, and looks a bucket up there without an end.
    return {"services": services, "buckets": dict(s3_backends.bucket_accounts), "notes": ground.notes()}


def put_back(ground: Ground, memory: dict[str, Any]) -> None:
    """The contrary; ``memory`` is taken over as it is. Under the ground's lock."""
    with backend_lock:
        for service in BackendDict._instances:
            for regions in service.values():
                regions.clear()
        BackendDict._instances.clear()
        reset_model_data()
        for service, account, backends in memory["services"]:
            regions = service[account]  # makes it known again
            for region, backend in backends.items():
                regions[region] = backend
    s3_backends.bucket_accounts = memory["buckets"]
    ground.take(memory["notes"])
    for group in all_groups():
        for target in group.lab_targets.values():
            target.being_checked = False  # who was checking has the target that was there before
