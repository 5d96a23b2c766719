import { describe, expect, test } from 'vitest';
import { type Grant, parseGrant } from '../access/grant.ts';
import { OPEN_POLICY, parsePolicy } from '../access/policy.ts';
import type { Who } from '../access/rights.ts';
import { decide } from './decide.ts';
import { readRoute } from './route.ts';

const DIGEST = `sha256:${'a'.repeat(64)}`;
const POLICY = parsePolicy(
  `
users:
  puller: [pull:team/*, pull:base]
  pusher: [push:team/*]
  deleter: [delete:team/*]
  admin: [admin]
everyone: [pull:shared]
anonymous: [pull:public/*]
`,
  'access.yaml',
);

type Outcome = 'pass' | 'handle' | 'denied' | 'unauthorized';
const CALLERS = ['nobody', 'anyone', 'puller', 'pusher', 'deleter', 'admin', 'token'] as const;

/** A character each: + to the registry, g by the gate, - denied, ? asked to log in. In the order of CALLERS. */
const TABLE: readonly (readonly [method: string, uri: string, outcomes: string])[] = [
  ['GET', '/v2/', 'g++++++'],
  ['HEAD', '/v2/', 'g++++++'],
  ['GET', '/v2/_catalog', '?gggggg'],
  ['GET', '/v2/_catalog?n=5&last=a', '?gggggg'],
  ['GET', '/v2/team/app/tags/list', '?-+++++'],
  ['GET', '/v2/team/app/manifests/v1', '?-+++++'],
  ['HEAD', '/v2/team/app/manifests/v1', '?-+++++'],
  ['GET', `/v2/team/app/manifests/${DIGEST}`, '?-+++++'],
  ['PUT', '/v2/team/app/manifests/v1', '?--g-g-'],
  ['PUT', `/v2/team/app/manifests/${DIGEST}`, '?--g-g-'],
  ['DELETE', '/v2/team/app/manifests/v1', '?---gg-'],
  ['DELETE', `/v2/team/app/manifests/${DIGEST}`, '?---gg-'],
  ['GET', `/v2/team/app/blobs/${DIGEST}`, '?-+++++'],
  ['HEAD', `/v2/team/app/blobs/${DIGEST}`, '?-+++++'],
  ['DELETE', `/v2/team/app/blobs/${DIGEST}`, '?---gg-'],
  ['POST', '/v2/team/app/blobs/uploads/', '?--+-+-'],
  ['POST', `/v2/team/app/blobs/uploads/?digest=${DIGEST}`, '?--+-+-'],
  ['POST', `/v2/team/app/blobs/uploads/?mount=${DIGEST}&from=team/lib`, '?--+-+-'],
  ['POST', `/v2/team/app/blobs/uploads/?mount=${DIGEST}&from=shared`, '?--+-+-'],
  ['POST', `/v2/team/app/blobs/uploads/?mount=${DIGEST}&from=secret`, '?--g-+-'],
  ['POST', `/v2/team/app/blobs/uploads/?mount=${DIGEST}&from=shared&from=secret`, '?--g-+-'],
  ['GET', '/v2/team/app/blobs/uploads/an-id', '?--+-+-'],
  ['PATCH', '/v2/team/app/blobs/uploads/an-id', '?--+-+-'],
  ['PUT', `/v2/team/app/blobs/uploads/an-id?digest=${DIGEST}`, '?--+-+-'],
  ['DELETE', '/v2/team/app/blobs/uploads/an-id', '?--+-+-'],
  ['GET', `/v2/team/app/referrers/${DIGEST}`, '?-+++++'],
  ['GET', '/v2/base/manifests/v1', '?-+--+-'],
  ['GET', '/v2/shared/manifests/v1', '?+++++-'],
  ['GET', '/v2/public/app/manifests/v1', '+++++++'],
  ['PUT', '/v2/public/app/manifests/v1', '?----g-'],
  ['GET', '/v2/team/app/deeper/manifests/v1', '?----+-'],
  // What a name is made of does not make it another route.
  ['GET', '/v2/team/manifests/tags/list', '?-+++++'],
  ['PUT', '/v2/team/tags/list/manifests/v1', '?----g-'],
];

describe.each(TABLE)('%s %s', (method, uri, outcomes) => {
  test.each(CALLERS.map((caller, index) => [caller, outcomes[index]] as const))(
    'by %s: %s',
    (caller, expected) => {
      const read = readRoute(method, uri);
      if (!read.ok) expect.fail(read.problem.message);
      expect(outcome(decide(POLICY, who(caller), read.route))).toBe(meaning(expected));
    },
  );
});

test('without a file whoever is logged in may do everything, and nobody else anything', () => {
  for (const [method, uri] of TABLE) {
    const read = readRoute(method, uri);
    if (!read.ok) expect.fail(read.problem.message);
    expect(outcome(decide(OPEN_POLICY, who('anyone'), read.route))).toMatch(/pass|handle/);
    expect(outcome(decide(OPEN_POLICY, who('nobody'), read.route))).toBe('unauthorized');
  }
});

function who(caller: (typeof CALLERS)[number]): Who {
  switch (caller) {
    case 'nobody':
      return { kind: 'anonymous' };
    case 'token': // an admin's, for pulls of one team
      return { kind: 'user', name: 'admin', only: [grant('pull:team/*')] };
    default:
      return { kind: 'user', name: caller };
  }
}

function grant(text: string): Grant {
  const parsed = parseGrant(text);
  return typeof parsed === 'string' ? expect.fail(parsed) : parsed;
}

function outcome(decision: ReturnType<typeof decide>): string {
  return decision.kind === 'refuse' ? decision.refusal.kind : decision.kind;
}

function meaning(character: string | undefined): Outcome {
  const found = ({ '+': 'pass', g: 'handle', '-': 'denied', '?': 'unauthorized' } as const)[character ?? ''];
  return found ?? expect.fail(`no outcome for ${character}`);
}
