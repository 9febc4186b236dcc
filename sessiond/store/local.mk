# SPDX-License-Identifier: GPL-3.0-or-later
# sessiond/store/: see the main header of the folder.
