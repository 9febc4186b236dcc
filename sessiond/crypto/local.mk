# SPDX-License-Identifier: GPL-3.0-or-later
# sessiond/crypto/: see the main header of the folder.
