import { unreachable } from '../errors.ts';
import type { Audit, AuditEvent } from './audit.ts';
import type { Caller } from './identify.ts';
import type { Question } from './question.ts';
import type { Refusal } from './refusal.ts';

/** What a line of the audit log says beyond what happened and where from. */
export type About = Partial<Omit<AuditEvent, 'event' | 'address'>>;

/** Writes down what somebody did. */
export function note(
  audit: Audit,
  event: AuditEvent['event'],
  caller: Caller | undefined,
  { address }: Question,
  about: About,
): void {
  const user = caller?.who.kind === 'user' ? caller.who.name : null;
  audit.write({ event, user, token: caller?.token, address, ...about });
}

/** Writes down that somebody was refused, where anybody would look for it. */
export function noteRefusal(
  audit: Audit,
  refusal: Refusal,
  caller: Caller | undefined,
  question: Question,
): void {
  const noted = worthNoting(refusal);
  if (noted !== undefined) note(audit, noted.event, caller, question, noted.about);
}

function worthNoting(refusal: Refusal): { event: AuditEvent['event']; about: About } | undefined {
  switch (refusal.kind) {
    case 'denied': {
      const { action, repository } = refusal;
      return { event: 'denied', about: { action, repository } };
    }
    case 'immutable': {
      const { repository, tag } = refusal;
      return { event: 'denied', about: { action: 'change an immutable tag', repository, tag } };
    }
    case 'disk-full':
      return { event: 'disk-full', about: { repository: refusal.repository } };
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
