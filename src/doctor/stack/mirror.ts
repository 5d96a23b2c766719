import { mirrorAuthority } from '../../settings/settings.ts';
import { type MirrorState, stateOfMirror } from '../../stack/mirror.ts';
import type { Check } from '../check.ts';
import type { Context } from '../context.ts';
import { broken, type Finding, fine, skipped, warning } from '../finding.ts';

/** nginx holds a question back for up to 27 s while a part is away. */
const ASKED_WITHIN = 40_000;

export const mirrorCheck: Check<Context> = {
  name: 'mirror',
  group: 'Stack',
  within: 45_000,
  run: async ({ settings, clock }) => {
    const { mirror } = settings;
    if (mirror === undefined) return skipped('there is none (MIRROR_OF)');
    const names = { own: mirrorAuthority(mirror, settings), upstream: mirror.upstream };
    return judgeMirror(names, await stateOfMirror(settings, mirror, clock, ASKED_WITHIN));
  },
};

export function judgeMirror(
  { own, upstream }: { own: string; upstream: string },
  state: MirrorState,
): Finding {
  if (state.silence !== undefined)
    return broken(`${own} does not answer: ${state.silence}`, 'docker compose logs mirror relay nginx');
  if (state.upstream === undefined) return fine(`${own}, of ${upstream}`);
  return warning(`${upstream} ${state.upstream}; what the mirror has it goes on to give`, 'docs/mirror.md');
}
