#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# Writes a C file with the migrations of one database: embed-sql.sh sqlite sql/sqlite/*.sql
set -eu
driver=$1
shift
echo '/* SPDX-License-Identifier: GPL-3.0-or-later */'
echo "/* Made by embed-sql.sh from sql/$driver. */"
echo '#include "sessiond/store/migrations.h"'
names=
for file in "$@"; do
	name=$(basename "$file" .sql)
	names="$names $name"
	echo
	echo "static const char sql_$name[] = {"
	od -An -v -tu1 "$file" | sed 's/ *\([0-9][0-9]*\)/\1,/g; s/^/	/'
	echo '	0'
	echo '};'
done
echo
echo "const struct db_migration migrations_$driver[] = {"
for name in $names; do
	number=$(echo "$name" | sed 's/_.*//; s/^0*//')
	echo "	{ $number, \"$name\", sql_$name },"
done
echo '};'
echo
echo "const size_t migrations_${driver}_count = sizeof migrations_$driver / sizeof *migrations_$driver;"
