import { request as requestPlainly } from 'node:http';
import { request } from 'node:https';
import { span } from '../../certificates/words.ts';
import type { Settings } from '../../settings/settings.ts';
import { originOf } from '../../storage/bucket-client.ts';
import type { Run } from '../../system/processes.ts';
import type { Check } from '../check.ts';
import type { Context } from '../context.ts';
import { broken, type Finding, fine, unknown, warning } from '../finding.ts';

/** Every Debian machine may ask it, and it always answers. */
const ANYBODY = 'http://deb.debian.org/debian/';
const ANSWER_WITHIN = 6_000;
const MINUTE = 60_000;
/** A second of the `Date` header, a slow answer: no difference. */
const NEAR = MINUTE;
/** S3 refuses what was signed 15 minutes away from its own time (RequestTimeTooSkewed). */
const FAR_FOR_S3 = 15 * MINUTE;
/** A new certificate is valid from its making on; CAs date it an hour back (Let's Encrypt). */
const FAR = 60 * MINUTE;

export const clockCheck: Check<Context> = {
  name: 'clock',
  group: 'Machine',
  within: 2 * ANSWER_WITHIN, // all are asked at the same time
  run: async ({ settings, clock, run }) => {
    const read = servers(settings).map(async (url) => ({ url, off: await offset(url, () => clock.now()) }));
    const known = (await Promise.all(read)).find(({ off }) => off !== undefined);
    const kept = await keptByNtp(run);
    return judgeClock(
      known && { host: new URL(known.url).host, off: known.off ?? 0 },
      kept,
      settings.storage.kind === 's3',
    );
  },
};

/** @param theirs `off`: milliseconds that this machine is ahead */
export function judgeClock(
  theirs: { readonly host: string; readonly off: number } | undefined,
  kept: boolean | undefined,
  s3: boolean,
): Finding {
  const say = 'sudo timedatectl set-ntp true';
  if (theirs === undefined) {
    if (kept === true) return fine('kept by NTP; no server could be asked');
    return unknown('no server could be asked for the time', kept === false ? say : undefined);
  }
  const apart = Math.abs(theirs.off);
  if (apart <= NEAR) return fine(`as at ${theirs.host}`);
  const told = `${span(apart)} ${theirs.off > 0 ? 'ahead of' : 'behind'} ${theirs.host}`;
  if (s3 && apart > FAR_FOR_S3) return broken(`${told}: the bucket refuses every request`, say);
  return apart > FAR
    ? broken(`${told}: certificates and tokens are judged wrongly`, say)
    : warning(told, say);
}

/** The nearest to what this registry needs come first. */
function servers({ issuer, directory, storage, mirror }: Settings): string[] {
  return [
    ...(issuer === 'acme' || issuer === 'certbot' ? [directory.url] : []),
    ...(storage.kind === 's3' ? [originOf(storage)] : []),
    ...(mirror === undefined ? [] : [mirror.upstream]),
    ANYBODY,
  ];
}

/** Whoever answers, and whatever: the header counts (RFC 9110 section 6.6.1). Nothing is sent but the question. */
function offset(url: string, now: () => Date): Promise<number | undefined> {
  const secure = url.startsWith('https:');
  return new Promise((resolve) => {
    const begun = now().getTime();
    const options = { method: 'HEAD', agent: false, signal: AbortSignal.timeout(ANSWER_WITHIN) } as const;
    // A clock that is wrong would make every certificate invalid.
    const asked = secure
      ? request(url, { ...options, rejectUnauthorized: false })
      : requestPlainly(url, options);
    asked.once('error', () => resolve(undefined));
    asked.once('response', (response) => {
      response.resume();
      const theirs = Date.parse(response.headers.date ?? '');
      const mine = (begun + now().getTime()) / 2;
      resolve(Number.isNaN(theirs) ? undefined : mine - theirs);
    });
    asked.end();
  });
}

/** `undefined`: nobody to ask. */
async function keptByNtp(run: Run): Promise<boolean | undefined> {
  const { exitCode, stdout } = await run('timedatectl', ['show', '--property=NTPSynchronized', '--value']);
  return exitCode === 0 ? stdout.trim() === 'yes' : undefined;
}
