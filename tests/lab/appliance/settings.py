"""What a test may turn: times in lab seconds, and switches for behaviour that no source documents."""

from __future__ import annotations

from dataclasses import dataclass, field

from tests.lab.settings import PESSIMISTIC_IMAGE


@dataclass(slots=True)
class BootTimes:
    """Stages of one boot, each in lab seconds; the sum is the time until NITRO answers."""

    dark: float
    closed: float
    no_tls: float
    unready: float
    closing: float = 0.0
    """Before it all, when the appliance goes down by its own command: it answers, and takes no connection."""

    @property
    def total(self) -> float:
        return self.closing + self.dark + self.closed + self.no_tls + self.unready


def cold_boot() -> BootTimes:
    """From power to NITRO: one minute (a real VPX on AWS takes about two)."""
    return BootTimes(dark=20.0, closed=15.0, no_tls=5.0, unready=20.0)


def warm_boot() -> BootTimes:
    """A warm reboot skips firmware and kernel; the web server answers 503 for a while (Terraform provider, PR 1400)."""
    return BootTimes(dark=0.0, closed=16.0, no_tls=4.0, unready=15.0)


@dataclass(slots=True)
class Settings:
    """Defaults follow nitro.md; what is marked unverified there is a switch here."""

    cold: BootTimes = field(default_factory=cold_boot)
    warm: BootTimes = field(default_factory=warm_boot)
    closing_seconds: float = 5.0
    """Of a cold reboot that the appliance was told to make."""
    form_seconds: float = 2.0
    """Lab seconds from the first mutual heartbeat until one of two primaries yields."""
    sync_seconds: float = 8.0
    """Lab seconds a full synchronisation takes."""
    sync_retry_seconds: float = 10.0
    first_login_seconds: float = 0.0
    """Lab seconds after NITRO has opened for the first time until the instance id is the password; refused with 354."""
    file_sync_seconds: float = 0.0
    """Lab seconds between two file synchronisations of a pair, pulled by the secondary (a real one: about 60, vendor's
    article CTX138748); 0: files are on the secondary as soon as they are on the primary. Above 0 the nodes of a cluster
    get files only by "sync cluster files".
    """
    moves_elastic_ips: str = "off"
    """Whether a node that becomes primary moves the Elastic IPs of virtual servers with an IPSet to its own addresses
    in EC2, as the vendor documents it for pairs across zones: off, on, or failing (it lacks the rights).
    """
    elastic_ip_seconds: float = 2.0
    """Lab seconds from a node becoming primary until it does so."""
    file_content_limit: int = 5 * 2**20
    """Bytes of a file that GET systemfile still hands out; a larger one comes without its content
    (devblackops/NetScaler, issue 89: a backup of 5 MB).
    """
    save_seconds: float = 0.0
    """Lab seconds a save takes; a second save inside them answers ``save_collision_code``."""
    save_collision_code: int = 293
    ipset_synced: bool = False
    """Whether IPSets and their bindings travel to the secondary in INC mode (the vendor's templates add them on
    both).
    """
    ipset_in_use_code: int = 1070
    ipset_unknown_ip_code: int = 258
    nsip_in_use_code: int = 2407
    session_limit_status: int = 503
    ha_licensed: bool = True
    partitions: set[frozenset[str]] = field(default_factory=set)
    """Pairs of instance ids that do not hear each other, whatever the security groups say."""
    allow_cache_seconds: float = 0.25
    """Real seconds for which an answer of Region.allows is believed."""
    pessimistic_image: bool = PESSIMISTIC_IMAGE
    """Whether packets leave an appliance by its table, as documented: MAC-based forwarding off, no route but the
    NSIP's default one (aws_vpx.md, section 2a; the defaults of the AWS image are unverified). Off: an image that sends
    every packet by the interface that has its source address, so that no reply and no back end is lost.
    """
    interfaces_by_mac: bool = False
    """Whether 1/1, 1/2, … are in the order of the MAC addresses and not of EC2's device indexes: which of them is which
    interface is not documented for AWS (aws_vpx.md, section 2a, "Interface names").
    """
    self_signed: bool = False
    """Whether an appliance has the self-signed certificate of its own that it makes at its first boot, as a stock VPX
    does. Off: one of the lab's authority, for its address.
    """
    new_certificates: set[str] = field(default_factory=set)
    """Instance ids of appliances whose self-signed certificate was replaced by another one."""
    guarded: bool = False
    """Whether the management interface's security groups decide who speaks to NITRO. Off: everybody may, so that a test
    can launch an appliance without them.
    """
    cluster_mbf_needs_linkset: bool = True
    """Whether MAC-based forwarding does nothing in a cluster without a linkset (unverified)."""
    cluster_join_seconds: float = 15.0
    """Lab seconds from a joined node's boot until it is ACTIVE and UP."""
    cluster_dead_seconds: float = 3.0
    """Lab seconds without a node until its peers call it DOWN and another coordinator takes the CLIP."""
    cluster_supported: bool = True
    """Off: clusterinstance is refused with 1103, as the vendor's documents of VPX on AWS say."""
    cluster_spotted_refused: bool = True
    """Whether a node that owns a spotted address cannot be removed (2479)."""
    license_server_up: bool = True
    """Whether the licence server answers; without it appliances keep their licence for a grace period."""
    license_pool_mbps: float = 1_000_000.0
    """Bandwidth of each edition's pool."""
    license_password: str = "las-S3cret"
    """Of any user of the License Activation Service."""
    license_return_seconds: float = 600.0
    """Lab seconds after which a silent appliance's capacity is back in the pool (vendor's documentation)."""
    license_grace_seconds: float = 30 * 86400.0
    builds: dict[str, str] = field(default_factory=dict)
    """Versions by image id, of images with another build than ``version``. Between different builds a pair neither
    synchronises nor propagates (vendor's documentation, "Upgrade a high availability pair"; builds of one internal HA
    version would, and nothing tells it). What ``hasync`` reads meanwhile is not documented: here it stays ENABLED."""
    install_builds: dict[str, str] = field(default_factory=dict)
    """Versions by the URL (without a query) of the build file from which ``install`` takes them. Any other URL cannot
    be fetched."""
    install_seconds: float = 240.0
    """Lab seconds of an installation, download included."""
    install_in_background: bool = True
    """Whether ``install`` knows Async and answers with the id of a job; off: as the 12.1 reference has it."""
    dead_builds: set[str] = field(default_factory=set)
    """Versions with which an appliance does not come back from its reboot."""
    migration_failover_seconds: float = 2.0
    """Lab seconds from the start of an ISSU migration, or of its rollback, until the roles have changed."""
    migration_seconds: float = 30.0
    """Lab seconds from the start of a migration until no established connection is left at the old primary."""
    version: str = "NetScaler NS14.1: Build 72.61.nc, Date: Aug 20 2026, 11:31:14   (64-bit)"
