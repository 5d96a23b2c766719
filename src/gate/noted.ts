import { unreachable } from '../errors.ts';
import type { AuditEvent } from './audit.ts';
import type { Refusal } from './refusal.ts';

/** What a line of the audit log says beyond who it was and where from. */
export type About = Omit<AuditEvent, 'event' | 'user' | 'address' | 'token'>;

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
    case 'unauthorized':
    case 'wrong-login': // noted where it fails, once
    case 'unavailable':
    case 'malformed':
    case 'too-large':
    case 'bad-page':
      return undefined;
    default:
      return unreachable(refusal);
  }
}
