import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { FakeClock } from '../../test/support/fake-clock.ts';
import { createToken } from '../users/tokens.ts';
import { AuditLog } from './audit.ts';
import { identify } from './identify.ts';
import { LastUse } from './last-use.ts';
import { Rulebook } from './rulebook.ts';
import { Verifier } from './verifier.ts';

const HASH = `$2y$12$${'a'.repeat(53)}`;

test('a token that was made just now is known, though a look of another’s has seen it since the request came', async () => {
  const clock = new FakeClock('2026-01-01T00:00:00Z');
  const root = await mkdtemp(join(tmpdir(), 'identify-'));
  const [usersFile, tokensFile] = [join(root, 'registry.password'), join(root, 'tokens.json')];
  await writeFile(usersFile, `ada:${HASH}\n`);
  const places = {
    usersFile,
    tokensFile,
    accessFile: join(root, 'access.yaml'),
    root,
    gate: join(root, 'gate'),
  };
  const rules = await Rulebook.open(places, clock, (problem) => expect.fail(problem));
  const parts = {
    rules,
    verifier: new Verifier({
      hasher: { compare: () => expect.fail('no hash') },
      clock,
      ttl: 1,
      highestCost: () => 4,
    }),
    audit: new AuditLog(root, clock, (problem) => expect.fail(problem)),
    lastUse: await LastUse.open(join(root, 'last-used.json'), clock),
    clock,
  };
  const whenItCame = rules.current ?? expect.fail('no rules');
  const made = await createToken(tokensFile, {
    user: 'ada',
    allow: undefined,
    expires: undefined,
    now: clock.now(),
  });
  await rules.refresh();
  const login = `Basic ${Buffer.from(`ada:${made.password.reveal()}`).toString('base64')}`;
  expect(await identify(parts, whenItCame, login, '192.0.2.1')).toMatchObject({
    kind: 'known',
    caller: { who: { name: 'ada' } },
  });
});
