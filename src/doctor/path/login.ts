import { CutOff, exchange, type Reply } from '../../registry/exchange.ts';
import type { Check } from '../check.ts';
import { broken, type Finding, fine, warning } from '../finding.ts';
import { plainly } from '../words.ts';
import { cureFor, hopIn } from './hop.ts';
import { askInner, loggedIn, ownHeaders, type Visit } from './visit.ts';

/** What `GET /v2/` is answered with, without a login and with one. */
export interface LoginFacts {
  readonly url: string;
  readonly detour: string | undefined;
  readonly distrust: string | undefined;
  readonly stranger: Pick<Reply, 'status' | 'headers'>;
  /** `undefined`: there is no login. */
  readonly user: Pick<Reply, 'status' | 'headers'> | undefined;
  /** Whether a person has given it, who may be wrong. */
  readonly given: boolean;
  /** What our own nginx answers to the same user; `undefined`: nothing. */
  readonly inner: number | undefined;
  readonly hop: string | undefined;
}

export const loginCheck: Check<Visit> = {
  name: 'login',
  group: 'Path of a client',
  within: 60_000, // a new user is known after 15 s at the latest, and nginx holds questions back for up to 27 s
  run: async (visit, { signal }) => {
    const { endpoints, outer, login } = visit;
    const question = { method: 'GET', path: '/v2/' };
    // Asked at the same time, as each may be held back while a part is away.
    const past = askInner(visit, question, signal);
    try {
      const stranger = await exchange({ endpoint: outer.endpoint }, question, { signal });
      // nginx has waited long enough for a part that is away.
      const user =
        login === undefined ? undefined : stranger.status >= 500 ? stranger : await loggedIn(visit, signal);
      const own = await past;
      const ours = visit.inside === undefined ? await ownHeaders(visit, signal) : own?.headers;
      visit.hop = ours && hopIn((user ?? stranger).headers, ours);
      // The first question may have come before the login was known.
      const inner = own?.status === 401 ? (await askInner(visit, question, signal))?.status : own?.status;
      if (user !== undefined && user.status !== 200)
        visit.blocked ??= `GET /v2/ is answered with ${user.status}`;
      return judgeLogin({ ...endpoints, stranger, user, given: login === 'given', inner, hop: visit.hop });
    } catch (error) {
      if (!(error instanceof CutOff)) throw error;
      visit.blocked = 'nobody answers';
      return broken(
        `${endpoints.url} can't be reached${endpoints.detour ? ` (${endpoints.detour})` : ''}: ${plainly(error)}`,
        (await past) === undefined || visit.inside === undefined
          ? 'docker compose ps; docker compose logs nginx'
          : `Moorage’s own nginx answers: look at what is in front of it, and where ${outer.endpoint.name} leads.`,
      );
    }
  },
};

export function judgeLogin(facts: LoginFacts): Finding {
  const { url, detour, distrust, stranger, user, given, inner, hop } = facts;
  const who = hop === undefined ? '' : ` through a hop in front, ${hop}`;
  if (stranger.status === 421)
    return broken(`the Host header is lost on the way${who} (421)`, cureFor(hop, 'headers'));
  if (user?.status === 401 && given)
    return broken(
      `${url} refuses this name and password`,
      'Look who there is, on that machine: npm run user -- list',
    );
  if (user !== undefined && user.status !== 200 && inner === 200)
    return broken(
      `${url}/v2/ is answered with ${user.status}${who}; Moorage’s own nginx says 200`,
      cureFor(hop, 'headers'),
    );
  if (user !== undefined && user.status !== 200)
    return broken(
      `${url}/v2/ is answered with ${user.status}${user.status < 500 ? ' to a right password' : ''}`,
      'docker compose logs gate registry nginx',
    );
  if (stranger.status !== 401)
    return broken(
      `${url}/v2/ is answered with ${stranger.status} to nobody in particular; it has to be 401`,
      'docker compose logs gate registry nginx',
    );
  const challenge = judgeChallenge(url, stranger.headers['www-authenticate'], hop);
  if (challenge !== undefined) return challenge;
  if (distrust !== undefined)
    return warning(
      `${url} answers${who}, and clients refuse its certificate: ${distrust}`,
      'See the check `served`.',
    );
  const through = hop === undefined ? '' : `, in front: ${hop}`;
  return fine(`${url}${through}${detour === undefined ? '' : `; ${detour}`}`);
}

/** RFC 9110 section 11.6.1. A token is fetched where the challenge says. */
function judgeChallenge(
  url: string,
  challenge: string | undefined,
  hop: string | undefined,
): Finding | undefined {
  if (challenge === undefined) return broken('401 comes without WWW-Authenticate', cureFor(hop, 'headers'));
  const realm = /^Bearer .*realm="([^"]+)"/i.exec(challenge)?.[1];
  if (realm === undefined || (URL.canParse(realm) && new URL(realm).origin === new URL(url).origin))
    return undefined;
  return broken(`clients are sent to ${realm} for a token, instead of ${url}`, cureFor(hop, 'headers'));
}
