import { exchange } from '../../registry/exchange.ts';
import { type Check, SOON } from '../check.ts';
import { broken, type Finding, fine, skipped } from '../finding.ts';
import { cureFor } from './hop.ts';
import type { Visit } from './visit.ts';

export interface DeleteFacts {
  readonly what: 'manifest' | 'layer';
  readonly status: number;
  /** What a question for it is answered with afterwards. */
  readonly after: number;
}

export const deleteCheck: Check<Visit> = {
  name: 'delete',
  group: 'Path of a client',
  within: 3 * SOON, // a bucket takes its time
  run: async (visit, { signal }) => {
    if (visit.blocked !== undefined) return skipped(visit.blocked);
    const { manifest, pushed, outer, repository, hop } = visit;
    if (manifest === undefined || pushed === undefined) return skipped('nothing was pushed');
    const remove = async (what: DeleteFacts['what'], path: string): Promise<DeleteFacts> => {
      const { status } = await exchange(outer, { method: 'DELETE', path }, { signal });
      const { status: after } = await exchange(outer, { method: 'HEAD', path }, { signal });
      return { what, status, after };
    };
    const facts = [
      await remove('manifest', `/v2/${repository}/manifests/${manifest}`),
      await remove('layer', `/v2/${repository}/blobs/${pushed.body.digest}`),
    ];
    return judgeDelete(facts, hop);
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
