// The audit log, for admins.

import { ReviewFailure } from '../../failure.ts';
import { AuditPages, MAX_AUDIT_ROWS } from '../audit/page.ts';
import { auditOnce, roleOf, userOf } from '../context.ts';
import type { Parts, ReviewApp } from '../context.ts';
import { auditQuery } from '../queries.ts';

export function addAuditRoutes(app: ReviewApp, parts: Parts): void {
  const pages = new AuditPages(parts.audit.path);
  app.get('/api/audit', async (c) => {
    if (roleOf(c) !== 'admin') throw new ReviewFailure('NOT_ALLOWED', 'Only admins may read the audit log.');
    await parts.limits.take('audit', userOf(c));
    const { before, limit } = auditQuery(c.req.queries(), MAX_AUDIT_ROWS);
    await auditOnce(c, parts, { action: 'read-audit' });
    return c.json(await pages.read(before, limit));
  });
}
