# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)

"""The options of every module that uses appliances."""

from __future__ import annotations

_NSIP = r"""
  nsip:
    description:
      - Address of the appliance's management interface (NSIP), with C(:port) if it is not the default of the protocol.
        An IPv6 address with a port is written in brackets.
      - Taken from E(NETSCALER_NSIP) when not given.
    type: str
    required: true
"""
_ONE_OR_MANY = r"""
  nsip:
    description:
      - Address of the appliance's management interface (NSIP), with C(:port) if it is not the default of the protocol.
        An IPv6 address with a port is written in brackets.
      - Taken from E(NETSCALER_NSIP) when neither it nor O(nodes) is given. One of them is needed, and not both.
    type: str
"""
_LOGIN = r"""
  nitro_user:
    description:
      - User to log in as.
      - Taken from E(NETSCALER_NITRO_USER) when not given.
    type: str
    default: nsroot
  nitro_pass:
    description:
      - Password of O(nitro_user).
      - Taken from E(NETSCALER_NITRO_PASS) when not given.
    type: str
  nitro_auth_token:
    description:
      - Id of an existing session. It is never logged out, so many tasks can share it.
      - Taken from E(NETSCALER_NITRO_AUTH_TOKEN) when not given.
    type: str
  nitro_protocol:
    description:
      - Protocol of NITRO. Over V(http) the password is not encrypted.
      - Taken from E(NETSCALER_NITRO_PROTOCOL) when not given.
    type: str
    choices: [http, https]
    default: https
"""
_CERTS = r"""
  validate_certs:
    description:
      - Whether the appliance's certificate must verify.
      - Taken from E(NETSCALER_VALIDATE_CERTS) when not given.
    type: bool
    default: true
"""
_CERTS_AND_AWS = r"""
  validate_certs:
    description:
      - Whether the appliances' certificates must verify. Those of AWS always must (O(aws_ca_bundle)).
      - Taken from E(NETSCALER_VALIDATE_CERTS) when not given.
    type: bool
    default: true
"""
_REST = r"""
  ca_path:
    description:
      - File or directory of the certificate authorities to trust instead of the system's.
      - Taken from E(NETSCALER_CA_PATH) when not given.
    type: path
  management_tls:
    description:
      - How the appliance's certificate is checked. With V(verify) authorities vouch for it, see O(validate_certs) and
        O(ca_path). With V(pin) it must have the SHA-256 fingerprint that was pinned at the first contact, whatever
        its issuer; an appliance without a known fingerprint is refused.
      - The fingerprint is compared on each connection before anything is sent.
      - Modules that find nodes by their tags take the fingerprints from the tag C(cloudadc:management_fingerprint),
        which M(cloudadc.aws.vpx_bootstrap) writes. Others take them from O(fingerprint) and O(fingerprints).
      - Taken from E(NETSCALER_MANAGEMENT_TLS) when not given.
    type: str
    choices: [verify, pin]
    default: verify
    version_added: 0.2.0
  fingerprint:
    description:
      - SHA-256 fingerprint of the certificate of the appliance at C(nsip), with or without colons. If it is given, the
        certificate is not verified by authorities, also without O(management_tls=pin).
      - Taken from E(NETSCALER_FINGERPRINT) when not given.
    type: str
    version_added: 0.2.0
  fingerprints:
    description:
      - The same for many appliances, by address without a port; a value is a fingerprint, or a list of those that are
        accepted.
    type: dict
    version_added: 0.2.0
  nitro_timeout:
    description:
      - Seconds to wait for each answer. The timeout of a connection is the same, but at most 10 seconds.
    type: float
    default: 30.0
  save_config:
    description:
      - Whether to save the running configuration, once, if something was changed.
    type: bool
    default: true
requirements:
  - python >= 3.11
  - requests >= 2.31
notes:
  - The module runs where it can reach the appliance, usually on the controller.
"""


def _joined(*options: str) -> str:
    return "options:" + "".join(each.rstrip() for each in options) + "\n"


class ModuleDocFragment:
    """``cloudadc.aws.nitro``; ``.session`` is the same without ``nsip``, ``.one_or_many`` with ``nsip`` or ``nodes``.

    ``.session_and_aws`` is for modules that call AWS, too; it goes before amazon.aws's fragments.
    A module of ``.one_or_many`` documents ``nodes`` itself, as what an entry may give differs.
    """

    def __init__(self) -> None:
        # Put together here, because what checks documentation wants class attributes to be plain texts.
        session = [_LOGIN, _CERTS, _REST]
        self.DOCUMENTATION = _joined(_NSIP, *session)
        self.SESSION = _joined(*session)
        self.SESSION_AND_AWS = _joined(_LOGIN, _CERTS_AND_AWS, _REST)
        self.ONE_OR_MANY = _joined(_ONE_OR_MANY, *session)
