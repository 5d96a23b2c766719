import { lookup } from 'node:dns/promises';
import type { Settings } from '../settings/settings.ts';
import { askByName } from '../stack/answer.ts';

/** Where the registry's name leads: to the machine it has moved from, to the other one, or to nobody who answers so. */
export type Leads = 'here' | 'there' | 'nowhere';

const ANSWER_WITHIN = 10_000;

/**
 * Asks under the name as somebody who wants to write and has no login. Who has moved refuses that before it looks for a
 * login, so it does not matter what addresses there are in between.
 */
export async function whereNameLeads(settings: Settings): Promise<Leads> {
  const { status, body } = await askByName(settings, 'POST', ANSWER_WITHIN);
  return judgeAnswer(status, body);
}

/** Pure. */
export function judgeAnswer(status: number, body: string): Leads {
  if (status === 503 && /writes are closed: this registry moves/.test(body)) return 'here';
  return status === 401 ? 'there' : 'nowhere';
}

/** The addresses of a host as this machine sees them; none for a name that nobody knows. */
export async function addressesOf(host: string): Promise<readonly string[]> {
  const found = await lookup(host, { all: true }).catch(() => []);
  return [...new Set(found.map(({ address }) => address))];
}
