/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Memory that outlives a reset, for the report of a crash: a place where neither firmware nor a loader puts anything,
 * which the machine's memory map calls reserved from the first step of start-up on.
 *
 *   a page of ours: what the report is, its length and checksum
 *   256 KiB for dom0's own oops, 256 KiB for the report: two records as Linux' ramoops driver has them, so that a
 *   stock dom0 finds the report as a file (docs/crash-report.md)
 */
#ifndef CORE_KEEP_H
#define CORE_KEEP_H

/* The records begin at 256 MiB, or (small machines, a module in the way) just below the image. */
#define KEEP_PLACES {0xffff000, 0x17f000}
#define KEEP_RECORD 0x40000ULL
#define KEEP_SIZE   (PAGE_SIZE + 2 * KEEP_RECORD)

/* Such a place is mapped: `address` at `area`. Without, a report goes to the console alone. */
void keep_set_area(volatile void *area, uint64_t address);

/* Once, when the console is there: tells of a report that an earlier run has left, prints one that was not yet. */
void keep_tell(void);

/* Room for the text of a report; never NULL. */
char *keep_buffer(size_t *size);
/* `length` bytes of text are there: make them a record. `about` says in a line what it is. */
void keep_seal(size_t length, const char *about);
/* Print it between the lines KEEP_BEGIN and KEEP_FINISH. */
void keep_print(size_t length);

#define KEEP_BEGIN  "-----BEGIN HOSPES CRASH REPORT-----\n"
#define KEEP_FINISH "-----END HOSPES CRASH REPORT-----\n"

#endif
