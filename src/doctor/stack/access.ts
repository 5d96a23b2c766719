import { relative } from 'node:path';
import { parsePolicy } from '../../access/policy.ts';
import { type Problem, problemsOf } from '../../errors.ts';
import { readIfExists } from '../../system/files.ts';
import { type AccessState, readAccessState } from '../../users/access-state.ts';
import { type Check, SOON } from '../check.ts';
import type { Context } from '../context.ts';
import { broken, type Finding, fine, skipped, warning } from '../finding.ts';

export interface AccessFacts {
  /** What is wrong with access.yaml as it is now. */
  readonly problems: readonly Problem[];
  /** What the gate has made of it. */
  readonly state: AccessState | undefined;
}

export const accessCheck: Check<Context> = {
  name: 'access',
  group: 'Stack',
  within: SOON,
  run: async ({ settings, paths }) => {
    if (settings.auth.by === 'registry') return skipped('AUTH=registry knows no roles');
    const text = await readIfExists(paths.accessFile);
    const problems =
      text === undefined ? [] : problemsOf(() => parsePolicy(text, relative(paths.root, paths.accessFile)));
    return judgeAccess({ problems, state: await readAccessState(paths) });
  },
};

export function judgeAccess({ problems, state }: AccessFacts): Finding {
  const say = 'Fix the file: the gate reads it again by itself.';
  const told = (all: readonly Problem[]) =>
    all.map(({ input, message }) => `${input}: ${message}`).join('\n');
  if (problems.length > 0) {
    const still = state?.inForce === true ? 'what was right before stays in force' : 'nobody gets in';
    return broken(`${told(problems)}\n${still}`, say);
  }
  if (state === undefined)
    return warning('the gate has not looked at its files yet', 'docker compose logs gate');
  if (state.problems.length > 0) return broken(told(state.problems), say);
  return fine('users, roles and tokens as in their files');
}
