import { unreachable } from '../errors.ts';
import type { AuditEvent } from './audit.ts';
import type { Refusal } from './refusal.ts';

/** What a line of the audit log says beyond what happened and where from. */
export type About = Partial<Omit<AuditEvent, 'event' | 'address'>>;

/** The audit log's word for a refusal, or `undefined` for one that nobody would look for there. */
export function worthNoting(refusal: Refusal): { event: AuditEvent['event']; about: About } | undefined {
  switch (refusal.kind) {
    case 'denied': {
      const { action, repository } = refusal;
      return { event: 'denied', about: { action, repository } };
    }
    case 'immutable': {
      const { repository, tag } = refusal;
      return { event: 'denied', about: { action: 'change an immutable tag', repository, tag } };
    }
    case 'throttled':
      return { event: 'throttled', about: {} };
    case 'wrong-login':
      return refusal.noted === undefined ? undefined : { event: 'login-failed', about: refusal.noted };
    case 'unauthorized':
    case 'unavailable':
    case 'malformed':
    case 'too-large':
    case 'bad-page':
      return undefined;
    default:
      return unreachable(refusal);
  }
}
