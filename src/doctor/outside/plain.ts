import { counted } from '../../counted.ts';
import { broken, type Finding, fine, skipped, warning } from '../finding.ts';
import { type HttpAnswer, httpAnswer } from '../name/http-answer.ts';
import type { Address } from './address.ts';

const ANSWER_WITHIN = 5_000;
const YEAR = 31_536_000;

/** What is answered without TLS; `undefined`: nothing. */
export function askPlainly({ name }: Address, host: string, port: number): Promise<HttpAnswer | undefined> {
  return httpAnswer({ host, port }, name, '/v2/', ANSWER_WITHIN);
}

/**
 * Whether somebody could be led to send a password in the clear.
 * @param port `undefined`: not known
 * @param hsts of an answer with TLS (RFC 6797)
 */
export function judgePlain(
  port: number | undefined,
  answer: HttpAnswer | undefined,
  url: string,
  hsts: string | undefined,
): Finding {
  if (port === undefined) return skipped('its port for plain HTTP is not known here');
  const kept = hsts === undefined ? '' : `; browsers keep to TLS for ${keptFor(hsts)} (HSTS)`;
  if (answer === undefined) return fine(`nobody answers at port ${port}${kept}`);
  const { status, location = '' } = answer;
  if (status === 401 || status < 300)
    return broken(
      `port ${port} answers ${status} without TLS: passwords go over the network in the clear`,
      `Let nobody but a redirect to ${url} be at port ${port}.`,
    );
  if (status >= 400) return fine(`port ${port} serves nothing (${status})${kept}`);
  const led = URL.canParse(location) ? new URL(location).origin : location;
  if (led === new URL(url).origin) return fine(`port ${port} leads on to ${url}${kept}`);
  return warning(
    `port ${port} leads on to ${led || 'nowhere'} instead of ${url}`,
    'Set HTTPS_PORT to the port that clients use, or fix the proxy in front, then: npm run init-tls',
  );
}

function keptFor(hsts: string): string {
  const seconds = Number(/max-age="?(\d+)/i.exec(hsts)?.[1] ?? 0);
  return seconds >= YEAR ? 'a year' : counted(Math.round(seconds / 86_400), 'day');
}
