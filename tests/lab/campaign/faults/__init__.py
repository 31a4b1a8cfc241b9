# SPDX-License-Identifier: MIT
"""The faults, a file for each subject. Each file ends with its list, FAULTS."""
