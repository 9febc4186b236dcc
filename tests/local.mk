# SPDX-License-Identifier: GPL-3.0-or-later
# Test data and the node suites (the C tests stand in the fragment of what they test).
