# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The domain of autoscaling: policy, record, evaluator. Pure: no I/O, no clock, standard library only."""
