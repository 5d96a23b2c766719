import { describeSeries } from '../certificates/attempts.ts';
import { span } from '../certificates/words.ts';
import { counted } from '../counted.ts';
import { diskInWords } from '../low-water.ts';
import type { Status } from '../status/status.ts';
import type { Trouble } from '../status/trouble.ts';
import { oldPlaceInWords } from '../storage/old-places.ts';
import { forecastInWords } from './forecast-words.ts';
import { isShort, type Page, row, shortened, wrapped } from './page.ts';
import { partLines } from './status-parts.ts';
import { storageLines } from './status-storage.ts';

const LEAST_REPOSITORIES = 3;
const MOST_REPOSITORIES = 10;

/**
 * What `npm run status` shows: what is wrong, then everything, top to bottom. Of repositories as many as leave it on
 * one screen.
 * @param all whether every repository is shown
 */
export function statusScreen(
  status: Status,
  troubles: readonly Trouble[],
  page: Page,
  all: boolean,
): readonly string[] {
  const before = [
    ...troubleLines(troubles, page),
    ...row(page, 'Registry', [registryLine(status, page)]),
    ...row(page, 'Parts', partLines(status, page)),
    ...row(page, 'Certificate', certificateLines(status)),
    ...row(page, 'Users', userLines(status)),
  ];
  const after = [
    ...row(page, 'Disk', diskLines(status)),
    ...row(page, 'Mirror', mirrorLines(status)),
    ...row(page, 'Events', eventLines(status, page)),
  ];
  // The first line is the sum, the last says how many more there are; a prompt comes below.
  const left =
    (page.rows ?? Number.POSITIVE_INFINITY) - before.length - after.length - status.oldPlaces.length - 3;
  const fitting = Math.max(LEAST_REPOSITORIES, Math.min(MOST_REPOSITORIES, left));
  const storage = storageLines(status.storage, page, all ? Number.POSITIVE_INFINITY : fitting);
  const old = status.oldPlaces.map(oldPlaceInWords);
  return [...before, ...row(page, 'Storage', [...storage, ...old]), ...after];
}

/** @param every milliseconds */
export function watchFooter(terminal: Pick<Page, 'style'>, every: number): string {
  return terminal.style('dim', `  every ${every / 1000} s; q ends`);
}

function troubleLines(troubles: readonly Trouble[], page: Page): string[] {
  return troubles.flatMap(({ severity, what, remedy }) => {
    const mark = severity === 'broken' ? page.style('red', '✗') : page.style('yellow', '!');
    const cure = `→ ${page.style('bold', remedy)}`;
    const line = `${mark} ${what} ${cure}`;
    if (isShort(page, line)) return [line];
    return [
      ...wrapped(page, `${mark} ${what}`, 2),
      ...wrapped(page, cure, 2).map((each) => `  ${each.trimStart()}`),
    ];
  });
}

function registryLine({ url, silence }: Status, { style }: Page): string {
  return silence === undefined
    ? `${style('green', '✓')} ${url}`
    : `${style('red', '✗')} ${url} does not answer`;
}

function certificateLines({ certificate, at }: Status): string[] {
  if (certificate.kind === 'unseen') return [`can't be looked at: ${certificate.because}`];
  const { decision, current, failure } = certificate.what;
  const lines = [decision.reason];
  if (current.kind === 'present' && decision.kind !== 'none') {
    const { names, issuerName, notAfter } = current.generation.certificate;
    const left = notAfter.getTime() - at.getTime();
    const ends = left > 0 ? `${span(left)} left` : `ended ${span(-left)} ago`;
    lines.unshift(`${ends}, by ${issuerName}, for ${names.join(', ')}`);
  }
  return failure === undefined
    ? lines
    : [...lines, `${describeSeries(failure)}: ${failure.message.split('\n')[0]}`];
}

function userLines({ auth, users, access, at }: Status): string[] {
  return [...countLines(users, at), ...accessLines(auth, access)];
}

function countLines(users: Status['users'], now: Date): string[] {
  if (users.kind === 'unseen') return [`can't be counted: ${users.because}`];
  const { users: count, tokens, expired, expiring, lastUse } = users.what;
  const use = lastUse && `last used ${ago(lastUse.at, now)} (${lastUse.name})`;
  const all = `${counted(count, 'user')}, ${counted(tokens, 'token')}${use === undefined ? '' : `, ${use}`}`;
  const ending = expiring.map(({ name, expires }) => `${name} in ${span(expires.getTime() - now.getTime())}`);
  return [
    all,
    ...(expired.length === 0 ? [] : [`expired: ${few(expired)}`]),
    ...(ending.length === 0 ? [] : [`expire soon: ${few(ending)}`]),
  ];
}

function accessLines(auth: Status['auth'], access: Status['access']): string[] {
  if (auth === 'registry') return ['passwords by the registry itself, without roles'];
  if (access.kind === 'unseen') return [`what is in force is not known: ${access.because}`];
  if (access.what === undefined) return ['the gate has not looked at its files yet'];
  const { problems, inForce } = access.what;
  if (problems.length === 0) return [];
  const still = inForce
    ? 'what was right before stays in force until this is mended:'
    : 'nobody gets in until this is mended:';
  return [still, ...problems.map(({ input, message }) => `${input}: ${message}`)];
}

function diskLines({ disk, forecast, at }: Status): string[] {
  return [diskInWords(disk), ...(forecast === undefined ? [] : [forecastInWords(forecast, at)])];
}

function mirrorLines({ mirror }: Status): string[] {
  if (mirror === undefined) return [];
  const own = mirror.silence === undefined ? mirror.at : `${mirror.at} does not answer: ${mirror.silence}`;
  return [own, `${mirror.of} ${mirror.upstream ?? 'answers'}`];
}

function eventLines({ events, at }: Status, page: Page): string[] {
  return events.map((event) => {
    const mark = event.kind === 'trouble' ? page.style('red', '✗') : page.style('dim', '·');
    const line = `${ago(event.at, at).padEnd(15)} ${event.by}: ${event.text}`;
    return `${mark} ${shortened(page, line, 2)}`;
  });
}

/** `3 hours ago`; a clock that was set back has written of what is ahead. */
function ago(then: Date, now: Date): string {
  const since = now.getTime() - then.getTime();
  if (since < -60_000) return 'ahead of now';
  return since < 2_000 ? 'just now' : `${span(since)} ago`;
}

function few(names: readonly string[]): string {
  const shown = names.slice(0, 3).join(', ');
  return names.length > 3 ? `${shown} and ${names.length - 3} more` : shown;
}
