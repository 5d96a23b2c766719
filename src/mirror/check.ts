import { text } from 'node:stream/consumers';
import { unreachable } from '../errors.ts';
import { readChallenge } from './challenge.ts';
import { type Upstream, UpstreamAway } from './upstream.ts';

/** What a registry makes of the login that the mirror has for it. */
export type UpstreamState =
  | { readonly kind: 'open' }
  /** It shows more to those it knows: what `/v2/` wants says nothing about its public images. */
  | { readonly kind: 'wants-login' }
  | { readonly kind: 'refuses-login' }
  | { readonly kind: 'no-registry'; readonly status: number }
  | { readonly kind: 'untrusted'; readonly because: string }
  | { readonly kind: 'away'; readonly because: string };

/** https://nodejs.org/api/tls.html, "X509 certificate error codes", as far as the upstream is at fault or unknown. */
const UNTRUSTED =
  /UNABLE_TO_|SELF_SIGNED|CERT_(HAS_EXPIRED|NOT_YET_VALID|UNTRUSTED|SIGNATURE)|ALTNAME_INVALID|HOSTNAME_MISMATCH/;

/** Asks for `/v2/`, which every registry answers to whom it lets in (distribution-spec 1.1, end-1). */
export async function checkUpstream(upstream: Upstream, hasLogin: boolean): Promise<UpstreamState> {
  try {
    const answer = await upstream.ask({ method: 'GET', uri: '/v2/', headers: {} });
    await text(answer);
    const { statusCode: status = 0, headers } = answer;
    if (status === 200) return { kind: 'open' };
    if (status >= 500) return { kind: 'away', because: `it answers with ${status}` };
    if (status !== 401) return { kind: 'no-registry', status };
    if (hasLogin) return { kind: 'refuses-login' };
    const challenge = readChallenge(headers['www-authenticate'] ?? '');
    return challenge?.scheme === 'bearer' ? { kind: 'open' } : { kind: 'wants-login' };
  } catch (error) {
    if (!(error instanceof UpstreamAway)) throw error;
    const code = error.cause instanceof Error && 'code' in error.cause ? String(error.cause.code) : '';
    return { kind: UNTRUSTED.test(code) ? 'untrusted' : 'away', because: error.message };
  }
}

/** In half a line; `undefined` where all is well. */
export function upstreamProblem(state: UpstreamState): string | undefined {
  switch (state.kind) {
    case 'open':
      return undefined;
    case 'wants-login':
      return 'wants a login, and MIRROR_USERNAME is empty';
    case 'refuses-login':
      return 'refuses MIRROR_USERNAME and MIRROR_PASSWORD';
    case 'no-registry':
      return `is no registry: it answers GET /v2/ with ${state.status}`;
    case 'untrusted':
      return `shows a certificate that is not trusted: ${state.because}`;
    case 'away':
      return `does not answer: ${state.because}`;
    default:
      return unreachable(state);
  }
}
