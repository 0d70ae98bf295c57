// SPDX-License-Identifier: GPL-2.0
/*
 * An array of JSON objects as a table on stdout. What is in them must be fit for
 * a terminal.
 */
#include <stdio.h>
#include <string.h>

#include "cli/table.h"
#include "lib/addr.h"

void ss_table_format(char cell[SS_TABLE_CELL_SIZE], struct json_object *value)
{
	size_t len = 0;

	cell[0] = '\0';
	if (!json_object_is_type(value, json_type_array)) {
		snprintf(cell, SS_TABLE_CELL_SIZE, "%s", json_object_get_string(value));
		return;
	}
	for (size_t i = 0; i < json_object_array_length(value); i++) {
		snprintf(cell + len, SS_TABLE_CELL_SIZE - len, "%s%s", i ? "," : "",
			 json_object_get_string(json_object_array_get_idx(value, i)));
		len += strlen(cell + len);
	}
}

static void format_cell(char *cell, const struct ss_column *c, struct json_object *row)
{
	struct json_object *value, *port;

	if (!json_object_object_get_ex(row, c->key, &value))
		snprintf(cell, SS_TABLE_CELL_SIZE, "%s", c->none);
	else if (c->port && json_object_object_get_ex(row, c->port, &port))
		ss_addr_format_port(cell, json_object_get_string(value),
				    json_object_get_int(port));
	else
		ss_table_format(cell, value);
}

static size_t column_width(const struct ss_column *c, struct json_object *rows)
{
	size_t width = strlen(c->title);
	char cell[SS_TABLE_CELL_SIZE];

	for (size_t i = 0; i < json_object_array_length(rows); i++) {
		format_cell(cell, c, json_object_array_get_idx(rows, i));
		if (strlen(cell) > width)
			width = strlen(cell);
	}
	return width;
}

void ss_table_print(const struct ss_column *columns, struct json_object *rows)
{
	size_t width[SS_TABLE_COLUMNS] = {};
	char cell[SS_TABLE_CELL_SIZE];
	int n = 0;

	for (; columns[n].title; n++)
		width[n] = columns[n + 1].title ? column_width(&columns[n], rows) : 0;
	for (int c = 0; c < n; c++)
		printf("%-*s%s", (int)width[c], columns[c].title, c < n - 1 ? "  " : "\n");
	for (size_t i = 0; i < json_object_array_length(rows); i++) {
		for (int c = 0; c < n; c++) {
			format_cell(cell, &columns[c], json_object_array_get_idx(rows, i));
			printf("%-*s%s", (int)width[c], cell, c < n - 1 ? "  " : "\n");
		}
	}
}
