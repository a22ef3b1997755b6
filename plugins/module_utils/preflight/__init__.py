# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What can be known before anything is built: one decision a file, pure; ``inspection`` asks AWS and the network."""
