"""NetScaler Console, as far as registering appliances goes, on premises and as the vendor's service.

Sources, by the short names used here: ADMREF, the vendor's API reference (citrix/mas-nitro-api-reference); ADMTF, the
vendor's Terraform provider (netscaler/terraform-provider-citrixadm); CFT, the vendor's CloudFormation lambda that
registers an ADC (netscaler/citrix-adc-aws-cloudformation, inline_lambda_adc_register_adc.py); ELO, the tests of
elohmeier/netscaler-exporter, which hold recorded refusals.
"""

from __future__ import annotations

from .side import ConsoleSide
from .store import Account

__all__ = ["Account", "ConsoleSide"]
