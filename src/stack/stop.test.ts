import { expect, test } from 'vitest';
import { FakeEngine } from '../../test/support/fake-engine.ts';
import { expectNotServed } from './stop.ts';

test('images that another stack serves are not moved away under it; one’s own stack is stopped for that', async () => {
  const engine = new FakeEngine();
  const serving = (workingDirectory: string) => ({
    id: '1',
    name: 'moorage-registry-1',
    running: true,
    project: 'moorage',
    workingDirectory,
    networks: [],
    mounts: [{ source: '/srv/images', destination: '/var/lib/registry' }],
  });
  engine.running = [serving('/opt/moorage')];
  await expectNotServed(engine, { root: '/opt/moorage' }, '/srv/images');
  await expectNotServed(engine, { root: '/home/trial' }, '/srv/others');
  await expect(expectNotServed(engine, { root: '/home/trial' }, '/srv/images')).rejects.toMatchObject({
    code: 'in-use',
    message: '/srv/images is in use by the container moorage-registry-1 of /opt/moorage.',
  });
});
