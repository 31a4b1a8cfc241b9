# SPDX-License-Identifier: MIT
"""The campaign: faults, the laws that hold all the same, and the soak (README, "The campaign")."""
