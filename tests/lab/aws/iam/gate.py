"""Whether a request may pass, if the lab enforces IAM, and the answer if not."""

from __future__ import annotations

from collections.abc import Sequence

from tests.lab.aws.iam.decide import first_refused, sentence
from tests.lab.aws.iam.needs import ANY, Need
from tests.lab.aws.iam.policy import PolicyError, read_policy
from tests.lab.aws.iam.principals import Principal, document_of
from tests.lab.aws.protocol import READING, Answer, AwsRequest, forbid_request, malformed_policy, would_succeed


def stop(asked: AwsRequest, who: Principal, desired: Sequence[Need]) -> Answer | None:
    """The answer that stands in for carrying the request out; None: it may be carried out.

    A dry run that is allowed ends here as well: "DryRunOperation … otherwise, it is UnauthorizedOperation"
    (https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_RunInstances.html).
    """
    if not who.all:
        refused = first_refused(desired, who.documents, who.boundary)
        if refused:
            need, decision = refused
            return forbid_request(asked, sentence(who.arn, need, decision, where=_where(need)))
    if asked.dry_run:
        return would_succeed(asked)
    return _unreadable(asked)


def _where(need: Need) -> str:
    """What messages name of a request that names no ARN; of one that looks at a whole service they name nothing."""
    service, _ignored, action = need.action.partition(":")
    return "" if action.startswith(READING) else f"arn:aws:{service}:::{ANY}"


def _unreadable(asked: AwsRequest) -> Answer | None:
    """A policy that the lab would not obey to the letter is not taken."""
    if asked.service != "iam":
        return None
    document = document_of(asked.fields["PolicyArn"]) if "PolicyArn" in asked.fields else None
    if asked.action.startswith(("Put", "CreatePolicy")):
        document = asked.fields.get("PolicyDocument")
    try:
        if document is not None and asked.action.startswith(("Put", "CreatePolicy", "Attach")):
            read_policy(document)
    except PolicyError as error:
        return malformed_policy(asked, str(error))
    return None
