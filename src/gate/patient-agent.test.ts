import { once } from 'node:events';
import { mkdtemp } from 'node:fs/promises';
import { createServer, request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { FakeClock } from '../../test/support/fake-clock.ts';
import type { Clock } from '../system/clock.ts';
import { PatientAgent } from './patient-agent.ts';

let socketPath: string;
const server = createServer((asked, answer) => void text(asked).then((body) => answer.end(`got ${body}`)));

beforeEach(async () => {
  socketPath = join(await mkdtemp(join(tmpdir(), 'patient-')), 'part.sock');
});

afterEach(() => void server.close());

test('a request to a part that is not there yet waits for it, and comes whole', async () => {
  const comesWhileSomebodyWaits: Clock = {
    now: () => new Date(0),
    sleep: async () => {
      server.listen(socketPath);
      await once(server, 'listening');
    },
  };
  const agent = new PatientAgent(comesWhileSomebodyWaits, 30_000, 1);
  const asked = request({ socketPath, agent, method: 'PUT' }).end('all of it');
  const [answer] = await once(asked, 'response');
  expect(await text(answer)).toBe('got all of it');
  agent.destroy();
});

test('it fails when the part does not come', async () => {
  const clock = new FakeClock('2026-01-01T00:00:00Z');
  const agent = new PatientAgent(clock, 0, 1);
  const asked = request({ socketPath, agent }).end();
  const [error] = await once(asked, 'error');
  expect(error).toMatchObject({ message: expect.stringContaining('ENOENT') });
});
