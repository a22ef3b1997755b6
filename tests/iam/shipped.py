"""The policies as they are shipped, and a user of the lab who has one."""

from __future__ import annotations

import contextlib
import json
import re
from collections.abc import Collection, Iterator
from typing import Any

from tests.lab.settings import CHECKOUT
from tests.stage import Stage

POLICIES = CHECKOUT / "roles" / "preflight" / "files" / "policies"
USER = "controller"
_WITH = re.compile(r"With([A-Z][A-Za-z]*)$")

Statement = dict[str, Any]


def statements(playbook: str, given: Collection[str] | None = None) -> list[Statement]:
    """Those that apply to a definition with these things ("Nlb", "Dynamodb"); None: all."""
    document = json.loads((POLICIES / f"{playbook}.json").read_text())
    return [one for one in document["Statement"] if given is None or _case(one) is None or _case(one) in given]


def _case(statement: Statement) -> str | None:
    found = _WITH.search(statement["Sid"])
    return found[1] if found else None


def actions(statements: Collection[Statement]) -> set[str]:
    return {action for statement in statements for action in statement["Action"]}


def without(action: str, statements: Collection[Statement]) -> list[Statement]:
    """The same statements with one action less; a statement that then has none is left out."""
    less = [{**one, "Action": [name for name in one["Action"] if name != action]} for one in statements]
    return [one for one in less if one["Action"]]


def documents(playbook: str, *, managed: bool = True) -> list[str]:
    """The names of the policies that the holder of a playbook has. ``managed``: the playbook makes the role."""
    building = {"restore": "ha_pair"}.get(playbook, playbook)
    made = [building, *(["managed_role"] if managed else [])] if building in ("ha_pair", "autoscale_group") else []
    return list(dict.fromkeys([playbook, *made]))


@contextlib.contextmanager
def controller(stage: Stage, policies: Collection[Collection[Statement]]) -> Iterator[None]:
    """Playbooks are played by a user who has these policies; made new, as a restored lab has no such."""
    iam = stage.lab.boto("iam")
    iam.create_user(UserName=USER)
    for number, statements in enumerate(policies):
        document = json.dumps({"Version": "2012-10-17", "Statement": list(statements)})
        iam.put_user_policy(UserName=USER, PolicyName=f"rights-{number}", PolicyDocument=document)
    key = iam.create_access_key(UserName=USER)["AccessKey"]
    stage.environment = {"AWS_ACCESS_KEY_ID": key["AccessKeyId"], "AWS_SECRET_ACCESS_KEY": key["SecretAccessKey"]}
    try:
        yield
    finally:
        stage.environment = {}
