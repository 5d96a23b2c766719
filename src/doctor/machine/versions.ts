import { coerce, gte, lt, satisfies } from 'semver';
import { engineState, gatherFacts } from '../../host/facts.ts';
import { LEAST_COMPOSE, LEAST_ENGINE, LEAST_NODE } from '../../host/versions.ts';
import { type Check, SOON } from '../check.ts';
import type { Ground } from '../context.ts';
import { broken, type Finding, fine, warning } from '../finding.ts';

/** Versions of Compose that do harm here: docker/compose#11145, #11552, #12388. */
const BAD_COMPOSE: readonly { readonly range: string; readonly what: string }[] = [
  { range: '2.23.0', what: 'can not say what it would start (docker/compose#11145)' },
  { range: '>=2.24.0 <2.24.7', what: 'looks for included files in the wrong folder (docker/compose#11552)' },
  { range: '2.32.0', what: 'makes containers anew for no reason (docker/compose#12388)' },
];

export const nodeCheck: Check<Ground> = {
  name: 'node',
  group: 'Machine',
  within: SOON,
  run: async () => judgeNode(process.version),
};

export const engineCheck: Check<Ground> = {
  name: 'engine',
  group: 'Machine',
  within: SOON,
  run: async ({ environment }) => {
    const state = await engineState(environment.DOCKER_HOST);
    switch (state.kind) {
      case 'answers':
        return judgeEngine(state.version);
      case 'refused':
        return broken(state.failure.message, state.failure.remedy);
      case 'silent':
        return broken('no engine answers', ENGINE_AWAY);
    }
  },
};

export const composeCheck: Check<Ground> = {
  name: 'compose',
  group: 'Machine',
  within: SOON,
  run: async ({ run, environment }) => {
    const root = process.getuid?.() === 0;
    return judgeCompose((await gatherFacts({ run, dockerHost: environment.DOCKER_HOST, root })).compose);
  },
};

const ENGINE_AWAY = 'sudo systemctl start docker; npm run init-tls installs it where there is none';

export function judgeNode(version: string): Finding {
  if (gte(version, LEAST_NODE)) return fine(version);
  return broken(`${version} is older than ${LEAST_NODE}`, 'Install a newer one: https://nodejs.org/');
}

/** @param version as the engine says it: `20.10.24+dfsg1` */
export function judgeEngine(version: string): Finding {
  const plain = coerce(version.replace(/\b0+(?=\d)/g, '')); // 19.03.15
  if (plain !== null && lt(plain, LEAST_ENGINE))
    return broken(`Docker ${version} is older than ${LEAST_ENGINE}`, 'Update the engine.');
  return fine(`Docker ${version}`);
}

/** @param version as `docker compose version --short` says it: `2.26.1-4`; `undefined`: there is no Compose 2 */
export function judgeCompose(version: string | undefined): Finding {
  if (version === undefined)
    return broken('there is no `docker compose`, or it is older than 2', 'npm run init-tls installs it');
  const plain = coerce(version);
  if (plain === null) return fine(`Compose ${version}`);
  if (lt(plain, LEAST_COMPOSE))
    return broken(`Compose ${version} is older than ${LEAST_COMPOSE}`, 'Update Compose.');
  const bad = BAD_COMPOSE.find(({ range }) => satisfies(plain, range));
  if (bad !== undefined) return warning(`Compose ${version} ${bad.what}`, 'Update Compose.');
  return fine(`Compose ${version}`);
}
