"""Who asks, by the access key, and what is written of his rights: the way into moto's IAM and STS."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from moto.core import DEFAULT_ACCOUNT_ID
from moto.ec2.models import ec2_backends
from moto.elbv2.models import elbv2_backends
from moto.iam.models import iam_backends
from moto.s3.models import s3_backends
from moto.sts.models import sts_backends

from tests.lab.aws.iam.needs import Account
from tests.lab.aws.iam.resources import Known


@dataclass(frozen=True, slots=True)
class Principal:
    """``arn``: as messages name him; ``documents``: every policy of his, inline, attached, and of his groups.

    ``boundary``: the document of the permissions boundary, None if there is none.
    ``all``: the account's own keys, which may do everything.
    """

    arn: str
    documents: tuple[str, ...] = ()
    all: bool = False
    boundary: str | None = None


ROOT = Principal(f"arn:aws:iam::{DEFAULT_ACCOUNT_ID}:root", all=True)


def account() -> Account:
    """What ``needs`` has to know of the account."""
    profiles = {
        profile.name: str(profile.roles[0].arn) for profile in _iam().instance_profiles.values() if profile.roles
    }
    balanced = any(backend.load_balancers for backend in list(elbv2_backends[DEFAULT_ACCOUNT_ID].values()))
    boundaries = {
        role.name: str(role.permissions_boundary_arn) for role in _iam().roles.values() if role.permissions_boundary_arn
    }
    return Account(DEFAULT_ACCOUNT_ID, profiles, balanced, boundaries, Known(_tags, _references, _key_of))


def _tags(name: str) -> dict[str, str]:
    """The tags of a resource of EC2 by its id, of Elastic Load Balancing and IAM by its ARN."""
    if name.startswith("arn:aws:elasticloadbalancing:"):
        for balancing in list(elbv2_backends[DEFAULT_ACCOUNT_ID].values()):
            if tags := balancing.tagging_service.get_tag_dict_for_resource(name):
                return dict(tags)
        return {}
    if name.startswith("arn:"):
        owned = (*_iam().roles.values(), *_iam().instance_profiles.values())
        return {tag["Key"]: tag["Value"] for one in owned if one.arn == name for tag in one.tags}
    # ``get``: moto's dictionary of tags makes an entry for whatever it is asked for.
    found = (backend.tags.get(name) for backend in list(ec2_backends[DEFAULT_ACCOUNT_ID].values()))
    return dict(next((tags for tags in found if tags), {}))


def _key_of(bucket: str, key: str) -> str | None:
    """The KMS key of an object of S3, if it is one of the account's own."""
    for storage in list(s3_backends[DEFAULT_ACCOUNT_ID].values()):
        known = storage.buckets.get(bucket)
        if found := known.keys.get(key) if known else None:
            key_id = getattr(found, "kms_key_id", None)  # a delete marker has none
            return str(key_id) if key_id else None
    return None


def _references(name: str) -> tuple[str, ...]:
    """The address and interface of an association; the interface and instance of an attachment."""
    for backend in list(ec2_backends[DEFAULT_ACCOUNT_ID].values()):
        for address in backend.addresses:
            if address.association_id == name:
                return (address.allocation_id, *([address.eni.id] if address.eni else []))
        for interface in backend.enis.values():
            if interface.attachment_id == name:
                return (interface.id, *([interface.instance.id] if interface.instance else []))
    return ()


def principal_of(key_id: str | None) -> Principal:
    """Return the owner of a key. A key unknown to IAM is the lab's own."""
    if key_id is None:
        return ROOT
    for user in _iam().users.values():
        if any(key.access_key_id == key_id for key in user.access_keys):
            return Principal(user.arn, tuple(_of_user(user)))
    for backend in list(sts_backends[DEFAULT_ACCOUNT_ID].values()):
        for session in backend.assumed_roles:
            if session.access_key_id == key_id:
                return _of_session(session)
    return ROOT


def principal_named(arn: str) -> Principal | None:
    """The user or role of this ARN, None if there is none; for the simulation."""
    for user in _iam().users.values():
        if user.arn == arn:
            return Principal(arn, tuple(_of_user(user)))
    for role in _iam().roles.values():
        if role.arn == arn:
            return Principal(arn, tuple(_of_role(role)), boundary=_boundary(role))
    return None


def secret_of(key_id: str) -> str | None:
    """The secret of a user's access key, None if it is unknown."""
    for user in _iam().users.values():
        for key in user.access_keys:
            if key.access_key_id == key_id:
                return str(key.secret_access_key) if key.status == "Active" else None
    return None


def document_of(policy_arn: str) -> str | None:
    """The document of a managed policy, None if there is none."""
    policy = _iam().managed_policies.get(policy_arn)
    return None if policy is None else _default(policy)


def has_administrator(name: str, key_id: str, secret: str) -> None:
    """A user with this key who may do everything: whom a fresh account is handed to."""
    iam = _iam()
    user = iam.create_user("us-east-1", name)
    user.put_policy("AdministratorAccess", _EVERYTHING)
    key = iam.create_access_key(name)
    iam.access_keys[key_id] = iam.access_keys.pop(key.physical_resource_id)
    key.access_key_id, key.secret_access_key = key_id, secret


_NOTHING = '{"Version": "2012-10-17", "Statement": []}'
_EVERYTHING = '{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}'


def _of_session(session: Any) -> Principal:
    role = next((role for role in _iam().roles.values() if role.arn == session.role_arn), None)
    if role is None:
        return Principal(session.arn)
    return Principal(session.arn, tuple(_of_role(role)), boundary=_boundary(role))


def _boundary(role: Any) -> str | None:
    """The document of a role's boundary; one that does not exist allows nothing."""
    arn = role.permissions_boundary_arn
    return (document_of(arn) or _NOTHING) if arn else None


def _of_user(user: Any) -> Iterator[str]:
    yield from map(str, user.policies.values())
    yield from _attached(user.managed_policies)
    for group in _iam().get_groups_for_user(user.name):
        yield from map(str, group.policies.values())
        yield from _attached(group.managed_policies)


def _of_role(role: Any) -> Iterator[str]:
    yield from map(str, role.policies.values())
    yield from _attached(role.managed_policies)


def _attached(policies: dict[str, Any]) -> Iterator[str]:
    yield from map(_default, policies.values())


def _default(policy: Any) -> str:
    """The document of the version that counts."""
    return next(str(one.document) for one in policy.versions if one.version_id == policy.default_version_id)


def _iam() -> Any:
    return iam_backends[DEFAULT_ACCOUNT_ID]["aws"]
