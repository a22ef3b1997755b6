# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Where the evaluator, a store, the appliances and EC2 meet: one tick of one (group, zone)."""
