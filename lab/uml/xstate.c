/* Copyright (c) 2026, the lvs.topology authors
 * GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
 * SPDX-License-Identifier: GPL-3.0-or-later
 *
 * User-Mode Linux 6.12 on a processor with AMX. It keeps 2696 bytes of a guest process's extended registers, enough for
 * AVX-512; the host's ptrace wants all of them back (11008 with the tiles of AMX) or answers EFAULT, and the guest's
 * first process dies. Preloaded, this fills up what UML leaves out with what is there. Fixed upstream in Linux 6.13.
 */
#define _GNU_SOURCE
#include <elf.h>
#include <errno.h>
#include <stdarg.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

#define SAME_SIZE_AS_HOST (64 * 1024) /* more than any processor's state */

long ptrace(enum __ptrace_request request, ...)
{
	static char whole[SAME_SIZE_AS_HOST]; /* UML's kernel is one thread */
	va_list list;
	va_start(list, request);
	pid_t pid = va_arg(list, pid_t);
	void *addr = va_arg(list, void *);
	void *data = va_arg(list, void *);
	va_end(list);

	if (request == PTRACE_SETREGSET && (long)addr == NT_X86_XSTATE) {
		const struct iovec *part = data;
		struct iovec all = { whole, sizeof(whole) };
		long result = syscall(SYS_ptrace, PTRACE_GETREGSET, pid, addr, &all);
		if (result < 0 || all.iov_len <= part->iov_len)
			return result < 0 ? result : syscall(SYS_ptrace, request, pid, addr, data);
		memcpy(whole, part->iov_base, part->iov_len);
		return syscall(SYS_ptrace, request, pid, addr, &all);
	}
	/* The C library hands back what these read; the system call stores it. */
	if (request >= PTRACE_PEEKTEXT && request <= PTRACE_PEEKUSER) {
		long word;
		long result = syscall(SYS_ptrace, request, pid, addr, &word);
		return result < 0 ? result : (errno = 0, word);
	}
	return syscall(SYS_ptrace, request, pid, addr, data);
}
