/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SS_CLI_TABLE_H
#define SS_CLI_TABLE_H

#include <json-c/json.h>

#define SS_TABLE_CELL_SIZE	17408	/* 64 names of 255 characters */
#define SS_TABLE_COLUMNS	16

/**
 * struct ss_column - A column of a table; an empty one ends the list of them, which
 * has at most SS_TABLE_COLUMNS.
 * @title: its heading
 * @key: the value's key
 * @port: key of the port that is shown with an address, or NULL
 * @none: shown where there is no value
 */
struct ss_column {
	const char *title;
	const char *key;
	const char *port;
	const char *none;
};

/**
 * ss_table_format() - Write a value as text.
 * @cell: where to; what does not fit is cut
 * @value: the value; what is in an array is separated by commas
 */
void ss_table_format(char cell[SS_TABLE_CELL_SIZE], struct json_object *value);

/**
 * ss_table_print() - Print a table, with headings.
 * @columns: its columns
 * @rows: an array of objects
 */
void ss_table_print(const struct ss_column *columns, struct json_object *rows);

#endif /* SS_CLI_TABLE_H */
