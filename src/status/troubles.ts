import type { Outlook } from '../certificates/outlook.ts';
import { day, moment, span } from '../certificates/words.ts';
import { counted } from '../counted.ts';
import { unreachable } from '../errors.ts';
import { again } from '../journal.ts';
import { sizeInWords } from '../low-water.ts';
import type { PartState } from '../stack/parts.ts';
import { hasEndedHere, ofMove } from './move.ts';
import type { Seen, Status } from './status.ts';
import type { Trouble } from './trouble.ts';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
/** Days. Enough to buy a disk. */
const FULL_SOON = 14;
/** The daemon looks every ten minutes, and tries again after what fails: so much of a lifetime it may be late by. */
const LATE = 1 / 20;

const DOCTOR = 'npm run doctor';
const UP = 'docker compose up -d';

/** What is wrong, the worst first. Pure. */
export function troublesOf(status: Status): Trouble[] {
  if (hasEndedHere(status)) return ofMove(status);
  const found = [
    ...ofMove(status),
    ...ofAnswer(status),
    ...ofParts(status),
    ...ofCertificate(status),
    ...ofAccess(status),
    ...ofStorage(status),
    ...ofMirror(status),
    ...ofUnderWay(status),
  ];
  return [
    ...found.filter(({ severity }) => severity === 'broken'),
    ...found.filter(({ severity }) => severity !== 'broken'),
  ];
}

function ofAnswer({ silence, url }: Status): Trouble[] {
  return silence === undefined
    ? []
    : [broken('registry-silent', `${url} does not answer: ${silence}`, DOCTOR)];
}

function ofParts({ parts }: Status): Trouble[] {
  if (parts.kind === 'unseen') return [unseen('parts-unseen', parts, DOCTOR)];
  const missing = parts.what.filter(({ condition }) => condition === 'missing');
  const stopped = parts.what.filter(({ condition }) => condition === 'stopped');
  return [...ofMissing(missing), ...ofStopped(stopped), ...parts.what.flatMap(ofPart)];
}

function ofMissing(parts: readonly PartState[]): Trouble[] {
  if (parts.length === 0) return [];
  return [broken('part-missing', `${listed(parts)} ${parts.length === 1 ? 'is' : 'are'} not there`, UP)];
}

function ofStopped(parts: readonly PartState[]): Trouble[] {
  const [first, ...rest] = parts;
  if (first === undefined) return [];
  const { since, exitCode } = first;
  const at = since === undefined ? '' : ` since ${moment(since)}`;
  const what = rest.length > 0 ? 'do not run' : `has not run${at} (exit code ${exitCode})`;
  return [broken('part-stopped', `${listed(parts)} ${what}`, UP)];
}

function listed(parts: readonly PartState[]): string {
  const names = parts.map(({ name }) => name);
  return names.length === 1 ? (names[0] ?? '') : `${names.slice(0, -1).join(', ')} and ${names.at(-1)}`;
}

function ofPart({ name, condition, restarts }: PartState): Trouble[] {
  switch (condition) {
    case 'running':
    case 'starting':
    case 'missing':
    case 'stopped':
      return [];
    case 'paused':
      return [broken('part-paused', `${name} is paused`, `docker compose unpause ${name}`)];
    case 'restarting':
      return [
        broken(
          'part-restarting',
          `${name} ends and is started again, ${counted(restarts, 'time')} by now`,
          logs(name),
        ),
      ];
    case 'unhealthy':
      return [broken('part-unhealthy', `${name} runs, but is not well`, logs(name))];
    default:
      return unreachable(condition);
  }
}

function logs(part: string): string {
  return `docker compose logs --tail 20 ${part}`;
}

function ofCertificate({ certificate, at: now }: Status): Trouble[] {
  if (certificate.kind === 'unseen') return [unseen('certificate-unseen', certificate, DOCTOR)];
  const { decision, current, renewalDue, failure } = certificate.what;
  const why = failure === undefined ? '' : `; last failure: ${firstLine(failure.message)}`;
  if (decision.kind === 'issue') {
    const what = `the certificate is to be renewed: ${decision.reason}${why}`;
    switch (decision.cause) {
      case 'names':
      case 'issuer':
      case 'changed':
        return [attention('certificate-differs', what, 'npm run renew')];
      case 'due':
        if (!isOverdue(current, renewalDue, now)) break;
        return [broken('renewal-overdue', what, 'npm run renew')];
      default:
        return [broken(`certificate-${decision.cause}`, what, 'npm run renew')];
    }
  }
  if (
    current.kind === 'present' &&
    decision.kind !== 'none' &&
    now >= current.generation.certificate.notAfter
  )
    return [broken('certificate-expired', `the certificate: ${decision.reason}`, DOCTOR)];
  if (failure === undefined) return [];
  const failing = `renewing failed ${failure.count === 1 ? 'once' : `${failure.count} times`}: ${firstLine(failure.message)}`;
  return [
    attention('renewal-failing', `${failing}; next try ${moment(failure.nextAttempt)}`, 'npm run renew'),
  ];
}

function isOverdue(current: Outlook['current'], due: Date | undefined, now: Date): boolean {
  if (current.kind !== 'present' || due === undefined) return true;
  const { notBefore, notAfter } = current.generation.certificate;
  const late = Math.min(DAY, (notAfter.getTime() - notBefore.getTime()) * LATE);
  return now.getTime() > due.getTime() + late;
}

function ofAccess({ access, users }: Status): Trouble[] {
  const found: Trouble[] = [];
  if (users.kind === 'unseen') found.push(unseen('users-unseen', users, 'mend the file'));
  const state = access.kind === 'seen' ? access.what : undefined;
  if (state === undefined || state.problems.length === 0) return found;
  const [{ input, message } = { input: '', message: '' }] = state.problems;
  const more = state.problems.length > 1 ? ` (and ${state.problems.length - 1} more)` : '';
  const what = `${input}: ${message}${more}`;
  return state.inForce
    ? [attention('access-files', `${what}; what was right before stays in force`, 'mend the file'), ...found]
    : [broken('access-files', `${what}; nobody gets in`, 'mend the file'), ...found];
}

function ofStorage({ disk, forecast, storage, at: now }: Status): Trouble[] {
  const found: Trouble[] = [];
  if (disk.kind === 'low')
    found.push(
      broken(
        'disk-low',
        `pushes are refused: only ${sizeInWords(disk.free)} are free, below ${sizeInWords(disk.mark)}`,
        'npm run prune, then npm run gc',
      ),
    );
  if (disk.kind === 'unknown')
    found.push(attention('disk-unseen', `the disk can't be looked at: ${disk.because}`, DOCTOR));
  if (disk.kind !== 'low' && forecast?.kind === 'full' && isWithin(FULL_SOON, forecast.at, now))
    found.push(
      attention(
        'disk-full-soon',
        `the disk is full on ${day(forecast.at)} if it goes on like this`,
        'npm run prune, then npm run gc',
      ),
    );
  if (typeof storage === 'string') return found;
  if (storage.kind === 'unseen') return [...found, unseen('storage-unseen', storage, DOCTOR)];
  const hurt = storage.what.repositories.filter(({ damaged }) => damaged > 0);
  if (hurt.length > 0) {
    const count = hurt.reduce((sum, { damaged }) => sum + damaged, 0);
    const where = `${hurt[0]?.name}${hurt.length > 1 ? ` and ${hurt.length - 1} more` : ''}`;
    found.push(attention('damaged', `${counted(count, 'manifest')} can't be read, in ${where}`, DOCTOR));
  }
  return found;
}

function isWithin(days: number, then: Date, now: Date): boolean {
  return then.getTime() - now.getTime() <= days * DAY;
}

function ofMirror({ mirror }: Status): Trouble[] {
  if (mirror === undefined) return [];
  const { silence, upstream, at, of } = mirror;
  return [
    ...(silence === undefined ? [] : [broken('mirror-silent', `${at} does not answer: ${silence}`, DOCTOR)]),
    ...(upstream === undefined ? [] : [attention('upstream', `${of} ${upstream}`, DOCTOR)]),
  ];
}

function ofUnderWay({ underWay, at: now }: Status): Trouble[] {
  return underWay.map(({ command, since, step, atWork }) => {
    const where = step === '' ? '' : ` at the step ${step}`;
    const ago = span(now.getTime() - since.getTime());
    return atWork
      ? attention(`${command}-at-work`, `${command} has been at work for ${ago}${where}`, 'wait for its end')
      : broken(`${command}-interrupted`, `${command} was interrupted ${ago} ago${where}`, again({ command }));
  });
}

function unseen(
  code: string,
  { because, remedy }: Extract<Seen<unknown>, { kind: 'unseen' }>,
  otherwise: string,
) {
  return attention(code, because, remedy ?? otherwise);
}

function broken(code: string, what: string, remedy: string): Trouble {
  return { severity: 'broken', code, what, remedy };
}

function attention(code: string, what: string, remedy: string): Trouble {
  return { severity: 'attention', code, what, remedy };
}

function firstLine(text: string): string {
  return text.split('\n')[0] ?? '';
}

/** What needs attention may wait; the exit code does not tell of it. */
export function isWell(troubles: readonly Trouble[]): boolean {
  return troubles.every(({ severity }) => severity !== 'broken');
}
