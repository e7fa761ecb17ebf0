/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The domains' part of a crash's report (core/crash.h). */
#ifndef DOMAIN_REPORT_H
#define DOMAIN_REPORT_H

void domain_report_init(void);

#endif
