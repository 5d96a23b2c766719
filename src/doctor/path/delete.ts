import { exchange } from '../../registry/exchange.ts';
import { MANIFEST_TYPE } from '../../registry/image.ts';
import { type Check, SOON } from '../check.ts';
import { broken, type Finding, fine, skipped } from '../finding.ts';
import { cureFor } from './hop.ts';
import { isDenied } from './location.ts';
import type { Visit } from './visit.ts';

export interface DeleteFacts {
  readonly what: 'manifest' | 'layer';
  readonly status: number;
  /** What a question for it is answered with afterwards. */
  readonly after: number;
}

/** Without it a manifest that is there is answered with 404. */
const ANY = { accept: `${MANIFEST_TYPE}, */*` };

export const deleteCheck: Check<Visit> = {
  name: 'delete',
  group: 'Path of a client',
  within: 3 * SOON, // a bucket takes its time
  run: async (visit, { signal }) => {
    if (visit.blocked !== undefined) return skipped(visit.blocked);
    const { manifest, pushed, outer, repository, hop } = visit;
    if (manifest === undefined || pushed === undefined) return skipped('nothing was pushed');
    const remove = async (what: DeleteFacts['what'], path: string): Promise<DeleteFacts> => {
      const { status, text } = await exchange(outer, { method: 'DELETE', path }, { signal });
      if (visit.login === 'given' && isDenied({ status, text })) visit.blocked ??= 'this user may not delete';
      const { status: after } = await exchange(outer, { method: 'HEAD', path, headers: ANY }, { signal });
      return { what, status, after };
    };
    const facts = [
      await remove('manifest', `/v2/${repository}/manifests/${manifest}`),
      await remove('layer', `/v2/${repository}/blobs/${pushed.body.digest}`),
    ];
    return visit.blocked === undefined ? judgeDelete(facts, hop) : skipped(visit.blocked);
  },
};

export function judgeDelete(facts: readonly DeleteFacts[], hop: string | undefined): Finding {
  for (const { what, status, after } of facts) {
    if (status !== 202)
      return broken(
        `DELETE of a ${what} is answered with ${status}${hop === undefined ? '' : `, through a hop in front, ${hop}`}`,
        hop === undefined
          ? 'docker compose logs gate registry'
          : `Let ${hop} pass DELETE. ${cureFor(hop, 'headers')}`,
      );
    if (after !== 404)
      return broken(
        `a deleted ${what} is still answered with ${after}`,
        hop === undefined
          ? 'docker compose restart registry'
          : `Let ${hop} keep nothing: no cache under /v2/.`,
      );
  }
  return fine('manifest and layer are gone');
}
