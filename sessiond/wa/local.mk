# SPDX-License-Identifier: GPL-3.0-or-later
# sessiond/wa/: see the main header of the folder.
