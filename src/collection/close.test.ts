import { expect, test } from 'vitest';
import { FakeEngine } from '../../test/support/fake-engine.ts';
import { paths } from '../paths.ts';
import { loadSettings } from '../settings/load.ts';
import { forgetDescriptors } from './close.ts';

const part = {
  id: 'redis',
  name: 'redis',
  project: 'moorage',
  workingDirectory: '/',
  networks: [],
  mounts: [],
};

async function forgetting(how: { running: boolean; onHold?: 'paused' }) {
  const engine = new FakeEngine();
  engine.running = [{ ...part, ...how }];
  const settings = await loadSettings({ ...paths(), envFile: '/nowhere' }, { REDIS_URL: 'stack' });
  return forgetDescriptors({ engine, settings });
}

test('a Redis that has ended has nothing to forget; one that is paused still knows of blobs that go', async () => {
  await forgetting({ running: false });
  await expect(forgetting({ running: false, onHold: 'paused' })).rejects.toMatchObject({
    code: 'part-paused',
  });
});
