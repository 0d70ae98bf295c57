// SPDX-License-Identifier: GPL-2.0
/*
 * The tools of a scan for the tests, with signatures that are made for them.
 */
#include <stdio.h>

#include "scanner/engine.h"
#include "scanner/mime/parser.h"
#include "tests/support/mail.h"
#include "tests/support/tools.h"

struct ss_scan *tools;
static char *database;
static struct ss_engine *engine;

int tools_setup(void **state)
{
	char why[512] = "";

	(void)state;
	ss_mime_init();
	database = mail_database();
	engine = ss_engine_load(database, why, sizeof(why));
	if (!engine)
		printf("# %s\n", why);
	tools = engine ? ss_scan_new(engine) : NULL;
	return tools ? 0 : -1;
}

int tools_teardown(void **state)
{
	(void)state;
	ss_scan_free(tools);
	ss_engine_free(engine);
	mail_remove_database(database);
	return 0;
}
