# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Copy what others configured from the primary of a pair to its other node, where the appliances do not synchronise.

Between different builds synchronisation is off (vendor's documentation, "Upgrade a high availability pair"). So a node
of another build gets the definition from the roles, and everything else by this copy.
"""

from __future__ import annotations

from collections.abc import Sequence

from ..core.errors import Failure, Refusal
from ..nitro.backups import read_file
from ..nitro.ns_conf import read_commands
from ..nitro.restore_plan import Context, LeftOut, counterparts, sort_commands
from ..nitro.restoring import SSL_FOLDER, Restored, Restorer
from ..spec.vips import floating, vips_of_tags
from .backup_nodes import BackupNode, Connect
from .config_backup import BackupRequest, Deadline, archive_of
from .config_restore import save_unsaved, unpack

#: Reasons for which a command is left out of every copy: what they name belongs to one node, or the roles make it.
_EXPECTED = ("instance", "network", "definition")


def target_of(nodes: Sequence[BackupNode], primary: BackupNode) -> BackupNode:
    """Return the other node of the pair. Raises Refusal if there is none."""
    others = [node for node in nodes if node is not primary]
    if len(others) != 1:
        raise Refusal(f"{primary.name} is the only running node of its pair, so there is no node to copy to")
    return others[0]


def copy_configuration(
    request: BackupRequest,
    primary: BackupNode,
    target: BackupNode,
    connect: Connect,
    deadline: Deadline,
    warnings: list[str],
) -> Restored:
    """Add to the target what the primary has and the target has not, and save it there.

    The primary is read by a backup of level basic, which is removed at once, and by its certificate files one by one.

    Args:
        request: The backup; its ``applications`` are those of the definition.
        primary: The node that is read.
        target: The node that gets what it lacks.
        connect: Returns a client of an appliance.
        deadline: The time within which everything must be done.
        warnings: What does not stop the copy is added here.

    Raises:
        Failure: An appliance stopped answering, or the time is over. A part may have been copied.
    """
    moving = floating(vips_of_tags([primary.instance.tags, target.instance.tags]))
    with connect(primary.nsip) as source, connect(target.nsip) as client:
        content = archive_of(source, primary.name, request, warnings, deadline.require)
        configuration, _files = unpack(content, primary.name)
        context = Context(request.applications, counterparts(primary.addresses, target.addresses, moving))
        carried = sort_commands(read_commands(configuration), context)
        restorer = Restorer(
            client, carried, lambda name: read_file(source, SSL_FOLDER, name), check=False, due=deadline.require
        )
        try:
            restored = restorer.run()
        except Failure as error:
            done = len(restorer.result.added)
            raise Failure(f"{error}. {done} commands were copied before that; run it again") from None
        if request.save:
            save_unsaved([client])
    if missing := [one for one in restored.left_out if _is_missing(one)]:
        warnings.append(
            f"{len(missing)} commands of {primary.name} were not copied to {target.name}, which has another build: "
            f"{'; '.join(f'{one.command} ({one.reason})' for one in missing[:5])}{'; ...' if len(missing) > 5 else ''}"
        )
    return restored


def _is_missing(one: LeftOut) -> bool:
    """Whether others configured it, so that the target lacks it; the administrator's account is on every node."""
    own = one.command.startswith(("set system user nsroot", "set system parameter"))
    return one.reason not in _EXPECTED and not own
