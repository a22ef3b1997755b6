"""Licences as an appliance sees them: server, capacity, what is licensed, and activation without a server.

Sources: vendor's NITRO reference (nslicenseserver, nscapacity, nslicense); netscaler.adc 2.18 and adc-nitro-go for what
later builds added (licensemode, nslicenseserverpool, nslaslicense, nslicenseactivationdata); aws_vpx.md, section 2b.
"""

from __future__ import annotations

import base64

from tests.lab.appliance.context import Context
from tests.lab.appliance.errors import NitroFault
from tests.lab.appliance.licences import mbps_of
from tests.lab.appliance.schema import Resource, Row

from .base import Behaviour, behaves

EDITIONS = {"Standard": "isstandardlic", "Enterprise": "isenterpriselic", "Platinum": "isplatinumlic"}
FOLDER = "/nsconfig/license"
#: Release → first build that knows the License Activation Service.
LAS_SINCE = {(14, 1): (51, 80), (13, 1): (60, 29)}
SECONDS_AN_HOUR = 3600


def knows_las(version: str) -> bool:
    """Whether software of this version knows the License Activation Service."""
    release, _ignored, rest = version.partition("NS")[2].partition(": Build ")
    parts = [int(part) for part in [*release.split("."), *rest.split(".")[:2]]]
    return (parts[2], parts[3]) >= LAS_SINCE.get((parts[0], parts[1]), (0, 0))


def pool(ctx: Context) -> Row:
    """The capacity in force: set before the last reboot (vendor's lambda_pooled_license), and within the grace."""
    row = ctx.running.single("nscapacity")
    over = ctx.room.licences.grace_left(ctx.now) == 0.0
    return row if row and not over and row.get("_boots", ctx.appliance.boots) < ctx.appliance.boots else {}


def is_activated(ctx: Context) -> bool:
    """Whether an activation file was applied before the present boot."""
    applied = ctx.running.single("nslaslicense").get("_boots")
    return applied is not None and applied < ctx.appliance.boots


def is_las(ctx: Context) -> bool:
    return any(row.get("licensemode") == "LAS" for row in ctx.running.rows("nslicenseserver"))


@behaves("nslicense")
class License(Behaviour):
    def rows(self, ctx: Context, resource: Resource) -> list[Row]:
        pooled = pool(ctx)
        edition = EDITIONS[pooled.get("edition", "Platinum")]
        row: Row = {name: True for name, field in resource.fields.items() if field.kind == "b"}
        row.update(
            dict.fromkeys(
                ("delta", "agee", "cloudbridgeappliance", "cloudextenderappliance", "issgwylic", "isswglic"), False
            )
        )
        row.update({name: name == edition for name in EDITIONS.values()})
        row.update({"f_sslvpn_users": 0, "f_ica_users": 0, "cluster": edition != "isstandardlic"})
        mode = ("LAS" if is_las(ctx) else "Pooled") if pooled else "LAS" if is_activated(ctx) else "Local"
        return [{**row, "modelid": self.model(pooled), "licensingmode": mode, "daystoexpiration": 364}]

    def model(self, pooled: Row) -> int:
        return mbps_of({"bandwidth": 5, **pooled}) if pooled else 5000


@behaves("nscapacity")
class Capacity(Behaviour):
    def view(self, ctx: Context, row: Row) -> Row:
        shown = {name: value for name, value in row.items() if not name.startswith("_")}
        actual = pool(ctx).get("bandwidth", 0)
        return {**shown, "actualbandwidth": actual, "maxbandwidth": 40000, "minbandwidth": 10, "instancecount": 1}

    def updating(self, ctx: Context, row: Row, changes: Row) -> None:
        """3569 for more than the pool has (the list of errors has no other code that fits)."""
        if set(changes.values()) == {None}:
            return  # an unset gives it back
        self.coherent(changes)
        if not ctx.running.rows("nslicenseserver") or not ctx.settings.license_server_up:
            raise NitroFault(3571)
        for name in ("username", "password"):
            changes.pop(name, None)
        edition = str(changes.get("edition", "Platinum"))
        left = ctx.room.licences.available(edition, ctx.now, without=ctx.appliance)
        if mbps_of(changes) > left:
            detail = f"{edition} bandwidth available {left} Mbps, requested {mbps_of(changes)} Mbps"
            raise NitroFault(3569, detail)
        for name in ("bandwidth", "unit", "platform", "vcpu", "edition"):
            row.pop(name, None)
        changes["_boots"] = ctx.appliance.boots

    def coherent(self, changes: Row) -> None:
        """One of bandwidth with unit, platform, or vcpu."""
        if "platform" in changes and "bandwidth" in changes:
            raise NitroFault(1092, "platform", "bandwidth")
        if "bandwidth" in changes and "unit" not in changes:
            raise NitroFault(1093, "bandwidth", "unit")
        if not {"platform", "bandwidth", "vcpu"} & changes.keys():
            raise NitroFault(1095, "bandwidth")


@behaves("nslicenseserver")
class LicenseServer(Behaviour):
    def adding(self, ctx: Context, row: Row) -> None:
        """1090 from a build that does not know the License Activation Service; 3571 for credentials it refuses."""
        if not {"licenseserverip", "servername"} & row.keys():
            raise NitroFault(1095, "licenseserverip")
        row.setdefault("port", 27000)
        password = row.pop("password", None)
        if row.get("licensemode") != "LAS":
            return
        if not knows_las(ctx.appliance.version(ctx.settings)):
            raise NitroFault(1090, "licensemode")
        if "username" not in row or password is None:
            raise NitroFault(1095, "username")
        if not ctx.settings.license_server_up or password != ctx.settings.license_password:
            raise NitroFault(3571)

    def view(self, ctx: Context, row: Row) -> Row:
        left = ctx.room.licences.grace_left(ctx.now)
        hours = 0 if left is None else int(left // SECONDS_AN_HOUR)
        return {**row, "status": int(left is None), "grace": int(left is not None), "gptimeleft": hours}


@behaves("nslicenseserverpool")
class LicenseServerPool(Behaviour):
    def rows(self, ctx: Context, resource: Resource) -> list[Row]:
        if not ctx.running.rows("nslicenseserver") or not ctx.settings.license_server_up:
            raise NitroFault(3571)
        total = int(ctx.settings.license_pool_mbps)
        row: Row = {}
        for edition in EDITIONS:
            row[f"{edition.lower()}bandwidthtotal"] = total
            row[f"{edition.lower()}bandwidthavailable"] = ctx.room.licences.available(edition, ctx.now)
        return [row]


@behaves("nslicenseactivationdata")
class ActivationData(Behaviour):
    """A read that writes a file: what the vendor's portal needs."""

    def rows(self, ctx: Context, resource: Resource) -> list[Row]:
        if not knows_las(ctx.appliance.version(ctx.settings)):
            raise NitroFault(1090, "nslicenseactivationdata")
        name = f"{ctx.appliance.instance_id}_request.tgz"
        content = base64.b64encode(f"request of {ctx.appliance.instance_id}".encode()).decode()
        if not ctx.running.first("systemfile", filename=name, filelocation=FOLDER):
            row = {"filename": name, "filelocation": FOLDER, "filecontent": content, "_modified": ctx.now}
            ctx.running.table("systemfile")[name, FOLDER] = row
        return [{"filename": name}]


@behaves("nslaslicense")
class LasLicense(Behaviour):
    def act(self, ctx: Context, resource: Resource, verb: str, arguments: Row) -> Row | None:
        """1647 for a file that is not there, 1043 for one that is not this appliance's."""
        place = {"filename": arguments["filename"], "filelocation": arguments.get("filelocation", FOLDER)}
        file = ctx.running.first("systemfile", **place)
        if verb != "apply":
            raise NitroFault(1240, verb)
        if file is None:
            raise NitroFault(1647)
        if base64.b64decode(file["filecontent"]) != f"activation of {ctx.appliance.instance_id}".encode():
            raise NitroFault(1043)
        ctx.running.single("nslaslicense").update({**place, "_boots": ctx.appliance.boots})
        return None
