/* Copyright (c) 2026, the lvs.topology authors
 * GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
 * SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Preloaded on User-Mode Linux, where a page that a program touches for the first time costs two stops of the program
 * and four switches between processes. Python touches thousands of pages to start and to compile a module. This has the
 * kernel hand out all of a mapping when it is made, at a fraction of the cost. Programs that touch little of what they
 * map would only lose by it.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

__attribute__((constructor)) static void populate(void)
{
	/* Whoever may lock only so much would be refused what comes later. */
	if (geteuid() == 0 && strncmp(program_invocation_short_name, "python", strlen("python")) == 0)
		mlockall(MCL_CURRENT | MCL_FUTURE);
}
