#!/usr/bin/python

# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

DOCUMENTATION = r"""
---
module: vpx_backup
short_description: Back up the configuration of VPX appliances to S3, and restore it
version_added: 0.2.0
author:
  - The cloudadc.aws contributors (@cloudadc)
description:
  - O(state=present) creates a backup on each node (C(systembackup)), fetches it, stores it in a bucket with SSE-KMS and
    a checksum that S3 verifies, deletes backups beyond the retention and removes the copy on the appliance. The nodes
    are found by their tags and are done side by side.
  - A backup holds the saved configuration, so unsaved changes are saved first (O(save_config)).
  - Keys are C(<prefix>/<kind>/<name>/<node>/<time>-<role>-<instance>.tgz). Retention never looks outside the folder of
    its node.
  - O(state=restored) adds to the primary of a pair what its last backup has and the pair has not. The pair must be
    built before, by its definition. What belongs to one instance, what the definition makes, and what NITRO or this
    module cannot carry over is not restored, and is listed in RV(left_out).
  - Objects that the pair has already are never changed or removed.
  - NITRO has no operation that executes a file of commands. The commands of the backup are translated to objects of
    NITRO; RV(left_out) lists those that have no translation.
  - Calls with O(state=present) - DescribeInstances, GetBucketVersioning; for each node one login, eight requests of
    NITRO (one more if there is something to save), PutObject, and ListObjectsV2 and DeleteObjects with O(retention).
extends_documentation_fragment:
  - cloudadc.aws.nitro.session
  - cloudadc.aws.attributes
  - cloudadc.aws.attributes.action_group_nitro
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
attributes:
  action_group:
    membership: [cloudadc.aws.aws, cloudadc.aws.nitro, cloudadc.aws.all]
  idempotent:
    support: partial
    details:
      - With O(state=present) each run makes another backup.
options:
  state:
    description: V(present) makes a backup, V(restored) carries one over to a rebuilt pair.
    type: str
    choices: [present, restored]
    default: present
  group:
    description: Name of the pair or group, the value of the tag C(cloudadc:group) of its instances.
    type: str
    required: true
  kind:
    description: What O(group) names. Only a V(pair) can be restored.
    type: str
    choices: [pair, group]
    default: pair
  bucket:
    description: The bucket. It must keep versions.
    type: str
    required: true
  create_bucket:
    description:
      - Create the bucket if it does not exist, with versioning, SSE-KMS by default and all public access blocked.
      - An existing bucket is not changed, except an empty one that an interrupted run has left without versioning.
    type: bool
    default: false
  prefix:
    description: Beginning of the keys.
    type: str
    default: cloudadc
  kms_key_id:
    description: Id, ARN or alias of the KMS key to encrypt with. By default the key C(aws/s3) of the account.
    type: str
  retention:
    description:
      - Number of backups to keep of each node. By default all are kept.
      - In a versioned bucket the versions of deleted backups stay until a lifecycle rule of the bucket removes them.
    type: int
  level:
    description:
      - V(basic) has the configuration files. V(full) has certificates, keys and licences as well. Appliances do not
        return files of several MB by NITRO.
    type: str
    choices: [basic, full]
    default: full
  applications:
    description:
      - Names of the applications of the definition. Their objects are not restored, because the definition makes them.
      - They are stored with a backup, so that an application that is removed from the definition later is not restored.
    type: list
    elements: str
    default: []
  backup:
    description: Key of the backup to restore. By default the last one of a node that was primary.
    type: str
  required:
    description:
      - With O(state=present), whether the task fails if a node was not backed up. Otherwise the failure is a warning,
        and is in RV(failures), so that a job that has another purpose continues.
    type: bool
    default: true
  nitro_port:
    description: TCP port of NITRO. By default that of O(nitro_protocol).
    type: int
  timeout:
    description: Seconds within which everything must be done; checked between steps.
    type: float
    default: 600.0
"""

EXAMPLES = r"""
- name: Back up both nodes of a pair, and keep the last 30 backups of each
  cloudadc.aws.vpx_backup:
    group: shop
    bucket: example-adc-backups
    kms_key_id: alias/adc-backups
    retention: 30
    nitro_pass: "{{ vpx_password }}"

- name: Carry over what was configured by hand to a rebuilt pair
  cloudadc.aws.vpx_backup:
    state: restored
    group: shop
    bucket: example-adc-backups
    applications: [web]
    nitro_pass: "{{ vpx_password }}"
"""

RETURN = r"""
backups:
  description:
    - The backups that were made, or would be in check mode. With O(state=restored) the stored ones, oldest first.
  returned: always
  type: list
  elements: dict
  contains:
    node:
      description: Node id in a pair, instance id in a group.
      type: str
      returned: always
    instance_id:
      description: The instance that was backed up.
      type: str
      returned: always
    role:
      description: V(primary), V(secondary), or V(standalone) for a node without a peer.
      type: str
      returned: always
    bucket:
      description: The bucket.
      type: str
      returned: always
    key:
      description: The key.
      type: str
      returned: always
    created_at:
      description: Time of the backup in ISO 8601, UTC.
      type: str
      returned: always
    build:
      description: Version that the appliance reports.
      type: str
      returned: with O(state=present)
    level:
      description: V(basic) or V(full).
      type: str
      returned: with O(state=present)
    version_id:
      description: Version of the object; null in check mode.
      type: str
      returned: with O(state=present)
    size:
      description: Bytes; null in check mode.
      type: int
      returned: with O(state=present)
    sha256:
      description: Checksum in hexadecimal; null in check mode.
      type: str
      returned: with O(state=present)
left_out:
  description: Commands of the backup that were not carried over. Secrets are masked. Empty with O(state=present).
  returned: always
  type: list
  elements: dict
  contains:
    command:
      description: The command.
      type: str
      returned: always
    reason:
      description:
        - V(instance), V(network) - belongs to one instance or to its network.
        - V(definition) - is made by the definition of the pair.
        - V(user), V(secret) - has a hashed password, or a secret that only the backed-up appliance can decrypt.
        - V(different) - exists with other values, and was not changed.
        - V(missing_file) - needs a file that is not in the backup.
        - V(unsupported) - has no translation.
        - V(refused) - was refused by the appliance; RV(left_out[].detail) has its message.
      type: str
      returned: always
    detail:
      description: The reason in words.
      type: str
      returned: always
restored:
  description: Commands that were carried over, or would be tried in check mode.
  returned: with O(state=restored)
  type: list
  elements: str
unchanged:
  description: Commands whose objects the pair has already.
  returned: with O(state=restored)
  type: list
  elements: str
restored_from:
  description: Key of the backup that was restored.
  returned: with O(state=restored)
  type: str
deleted:
  description: Keys that were deleted because of O(retention), or would be in check mode.
  returned: with O(state=present)
  type: list
  elements: str
failures:
  description: One message for each node that was not backed up.
  returned: with O(state=present)
  type: list
  elements: str
bucket_created:
  description: Whether the bucket was created, or would be in check mode.
  returned: with O(state=present)
  type: bool
"""

import time
from dataclasses import replace
from typing import Any

from ..module_utils.aws import ec2, s3
from ..module_utils.aws.buckets import require_bucket
from ..module_utils.aws.client import connect
from ..module_utils.aws.instances import parse_instances
from ..module_utils.aws.module import run
from ..module_utils.aws.tags import GROUP
from ..module_utils.core.errors import Failure, Refusal
from ..module_utils.core.parallel import attempt_all
from ..module_utils.nitro.backups import LEVELS
from ..module_utils.nitro.client import NitroClient
from ..module_utils.nitro.module import client_from, nitro_argument_spec, require_requests
from ..module_utils.reconcile import config_restore
from ..module_utils.reconcile.backup_nodes import BackupNode, endpoint, nodes_of, primary_of
from ..module_utils.reconcile.config_backup import BackedUp, BackupRequest, Deadline, NodeBackup
from ..module_utils.reconcile.pins import learn_pins
from ..module_utils.spec.backup_names import BackupName, folder_of, parse_names
from ..module_utils.spec.identity import KINDS, PAIR

#: Seconds for the answer to the creation of a backup, which packs files.
_PACKING = 120.0


def argument_spec() -> dict[str, Any]:
    """Return the options of this module."""
    return {
        **nitro_argument_spec(nsip=False),
        "state": {"type": "str", "choices": ["present", "restored"], "default": "present"},
        "group": {"type": "str", "required": True},
        "kind": {"type": "str", "choices": list(KINDS), "default": PAIR},
        "bucket": {"type": "str", "required": True},
        "create_bucket": {"type": "bool", "default": False},
        "prefix": {"type": "str", "default": "cloudadc"},
        "kms_key_id": {"type": "str", "no_log": False},
        "retention": {"type": "int"},
        "level": {"type": "str", "choices": list(LEVELS), "default": "full"},
        "applications": {"type": "list", "elements": "str", "default": []},
        "backup": {"type": "str"},
        "required": {"type": "bool", "default": True},
        "nitro_port": {"type": "int"},
        "timeout": {"type": "float", "default": 600.0},
    }


class Work:
    """One run of the module."""

    def __init__(self, module: Any) -> None:
        self.module, self.params = module, module.params
        self.deadline = Deadline(self.params["timeout"])

    def connect(self, nsip: str) -> NitroClient:
        """Return a client for one appliance that waits long enough for the creation of a backup."""
        patient = {**self.params, "nitro_timeout": max(self.params["nitro_timeout"], _PACKING)}
        return client_from(patient, nsip=endpoint(nsip, self.params["nitro_port"]))

    def client(self, service: str) -> Any:
        # validate_certs is about the appliances here; AWS's certificates are always validated.
        return connect(self.module, service, verify=self.params["aws_ca_bundle"] or True)

    def nodes(self) -> list[BackupNode]:
        found = ec2.describe_instances(self.client("ec2"), {f"tag:{GROUP}": self.params["group"]})
        try:
            nodes = nodes_of(parse_instances(found), self.params["kind"], self.params["group"])
            learn_pins(self.params, [(node.nsip, node.instance.tags) for node in nodes])
            return nodes
        except Refusal:
            if self.module.check_mode and self.params["state"] == "restored":
                return []  # a run that builds the pair first is predicted
            raise

    def back_up(self) -> dict[str, Any]:
        """Back up every node. Raises Failure where no node can be backed up."""
        params, check = self.params, self.module.check_mode
        nodes, client = self.nodes(), self.client("s3")
        created = require_bucket(
            client, params["bucket"], params["kms_key_id"], create=params["create_bucket"], check=check
        )
        request = BackupRequest(
            params["bucket"],
            params["prefix"],
            params["kind"],
            params["group"],
            params["kms_key_id"] or None,
            params["retention"],
            params["level"],
            time.time(),
            tuple(params["applications"]),
            save=params["save_config"],
            check=check,
        )
        if check and created:
            request = replace(request, retention=None)  # the bucket has no listing yet
        jobs = [NodeBackup(request, node, nodes, client, self.deadline) for node in nodes]
        outcomes = attempt_all([lambda job=job: job.run(self.connect) for job in jobs])  # type: ignore[misc]
        return self.summary(outcomes, created)

    def summary(self, outcomes: list[BackedUp | Failure], created: bool) -> dict[str, Any]:
        done = [one for one in outcomes if isinstance(one, BackedUp)]
        failures = [str(one) for one in outcomes if isinstance(one, Failure)]
        for warning in [text for one in done for text in one.warnings]:
            self.module.warn(warning)
        result: dict[str, Any] = {
            "changed": bool(done) or created,
            "backups": [one.backup for one in done],
            "left_out": [],
            "deleted": [key for one in done for key in one.deleted],
            "failures": failures,
            "bucket_created": created,
        }
        return {**result, "diff": _diff([one.backup["key"] for one in done], result["deleted"])}

    def restore(self) -> dict[str, Any]:
        """Carry a backup over to the primary. Raises Failure."""
        params = self.params
        if params["kind"] != PAIR:
            raise Refusal(
                f"group {params['group']} cannot be restored: its nodes get their configuration from the definition "
                "whenever they are launched. Add what was configured by hand to the applications of the group"
            )
        request = config_restore.RestoreRequest(
            params["bucket"],
            params["prefix"],
            params["kind"],
            params["group"],
            params["backup"] or "",
            tuple(params["applications"]),
            save=params["save_config"],
            check=self.module.check_mode,
            seconds=params["timeout"],
        )
        nodes, client = self.nodes(), self.client("s3")
        names = self.stored(client)
        chosen = config_restore.choose(names, request)
        if not request.backup and (doubt := config_restore.doubt(chosen, names, nodes)):
            self.module.warn(doubt)
        archive = config_restore.read_archive(client, request, chosen)
        if nodes:
            primary = primary_of(nodes, self.connect)
            found = config_restore.carry_over(archive, request, primary, nodes, self.connect, self.deadline)
        else:
            found = config_restore.predict(archive, request)
        return {
            "changed": bool(found.added),
            "backups": [_stored(name, params["bucket"]) for name in names],
            "left_out": [one.as_result() for one in found.left_out],
            "restored": found.added,
            "unchanged": found.unchanged,
            "restored_from": chosen.key,
            "diff": _diff(found.added, []),
        }

    def stored(self, client: Any) -> list[BackupName]:
        folder = folder_of(self.params["prefix"], self.params["kind"], self.params["group"])
        return parse_names(s3.list_objects(client, self.params["bucket"], folder))


def _stored(name: BackupName, bucket: str) -> dict[str, Any]:
    return {
        "node": name.node,
        "instance_id": name.instance,
        "role": name.role,
        "bucket": bucket,
        "key": name.key,
        "created_at": name.created_at,
    }


def _diff(added: list[str], removed: list[str]) -> dict[str, str]:
    return {"before": "".join(f"{one}\n" for one in removed), "after": "".join(f"{one}\n" for one in added)}


def work(module: Any) -> dict[str, Any]:
    """Return the result; with ``msg`` if a node was not backed up. Raises Failure."""
    require_requests(module)
    job = Work(module)
    if module.params["state"] == "restored":
        return job.restore()
    if not module.params["required"]:
        return optional(module, job)
    outcome = job.back_up()
    failures = "; ".join(outcome["failures"])
    return {**outcome, "msg": f"not every node was backed up: {failures}"} if failures else outcome


def optional(module: Any, job: Work) -> dict[str, Any]:
    """Return the result of a backup that is not required: what failed is a warning."""
    try:
        outcome = job.back_up()
    except Failure as error:
        outcome = _nothing(str(error))
    for failure in outcome["failures"]:
        module.warn(f"the configuration was not backed up: {failure}")
    return outcome


def _nothing(failure: str) -> dict[str, Any]:
    """Return the result of a backup that is not required and failed before a node was reached."""
    lists: dict[str, Any] = {name: [] for name in ("backups", "left_out", "deleted")}
    return {"changed": False, **lists, "failures": [failure], "bucket_created": False}


def main() -> None:
    run(argument_spec(), work)


if __name__ == "__main__":
    main()
