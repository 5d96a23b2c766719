import { join } from 'node:path';
import { execa } from 'execa';
import { beforeAll, expect, test } from 'vitest';
import { BUILT } from '../../src/images/catalog.ts';
import { paths } from '../../src/paths.ts';
import { ensureBuilt } from '../support/built-images.ts';

beforeAll(() => ensureBuilt('prometheus'));

/** Prometheus’ own judgement, with the files where the stack has them. */
async function promtool(...args: readonly string[]) {
  const mount = `${join(paths().root, 'monitoring')}:/etc/moorage:ro`;
  const run = ['run', '--rm', '--volume', mount, '--workdir', '/etc/moorage', '--entrypoint', 'promtool'];
  const { exitCode, all } = await execa('docker', [...run, BUILT.prometheus, ...args], {
    reject: false,
    all: true,
  });
  return { exitCode, all };
}

test.each([
  ['check', 'config', 'prometheus.yml'],
  ['check', 'rules', '--lint=all', '--lint-fatal', 'rules.yml'],
  ['test', 'rules', 'rules.test.yml'],
])('promtool %s %s', async (...args) => {
  expect(await promtool(...args)).toEqual({ exitCode: 0, all: expect.stringContaining('SUCCESS') });
});
