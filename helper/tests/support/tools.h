/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SS_TESTS_SUPPORT_TOOLS_H
#define SS_TESTS_SUPPORT_TOOLS_H

#include "scanner/scan.h"

/* The tools of a scan, which finds what is in mail_database() */
extern struct ss_scan *tools;

/* Of a group, or in a test */
int tools_setup(void **state);
int tools_teardown(void **state);

#endif /* SS_TESTS_SUPPORT_TOOLS_H */
