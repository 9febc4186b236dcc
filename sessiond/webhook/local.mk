# SPDX-License-Identifier: GPL-3.0-or-later
# sessiond/webhook/: see the main header of the folder.
