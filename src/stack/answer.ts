import { expectSoundConfig, type WebServer } from '../certificates/deploy.ts';
import { Failure } from '../errors.ts';
import type { Settings } from '../settings/settings.ts';
import { type Done, unchanged } from '../step.ts';
import { type Clock, eventually } from '../system/clock.ts';
import { httpAddress, shownBy } from './nginx.ts';

const UP_WITHIN = 60_000;
const ANSWER_WITHIN = 5_000;

/**
 * Waits until nginx answers: TLS with whatever certificate it has, or plain HTTP where that is wanted.
 * @throws Failure `nginx-silent`, with the last lines of its log; `config-broken`
 */
export async function awaitNginx(
  settings: Settings,
  webServer: WebServer,
  clock: Clock,
  log: () => Promise<string>,
): Promise<Done> {
  const answers = () =>
    settings.issuer === 'none' ? answersPlainly(settings) : shownBy(settings, settings.domain);
  const answered = await eventually(clock, { within: UP_WITHIN, every: 100 }, answers);
  if (answered !== undefined) {
    // It may go on with what it has loaded, and fail at its next start.
    await expectSoundConfig(webServer, 'now');
    return unchanged('answers');
  }
  throw new Failure(
    'nginx-silent',
    `nginx does not answer on its port within 60 s. Its log ends with:\n${await log()}`,
    'Mend what it says (your own settings are in nginx/user.d), then run this again.',
  );
}

async function answersPlainly(settings: Settings): Promise<string | undefined> {
  const { host, port } = httpAddress(settings);
  try {
    const url = new URL(`http://${host.includes(':') ? `[${host}]` : host}:${port}/`);
    await fetch(url, { redirect: 'manual', signal: AbortSignal.timeout(ANSWER_WITHIN) });
    return 'plain HTTP';
  } catch {
    return undefined;
  }
}
