import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test, vi } from 'vitest';
import { paths } from '../paths.ts';
import { loadSettings } from '../settings/load.ts';
import { showHandOver } from './move-words.ts';
import { Terminal } from './terminal.ts';

test('after a move each name is told that is to lead elsewhere, that of the mirror too', async () => {
  const values = { DOMAIN: 'r.example', EXTRA_DOMAINS: 'also.example' };
  const mirror = { MIRROR_OF: 'docker.io', MIRROR_DOMAIN: 'hub.example' };
  const root = await mkdtemp(join(tmpdir(), 'move-words-'));
  const settings = await loadSettings(paths(root), { ...values, ...mirror });
  const told = vi.spyOn(process.stdout, 'write').mockReturnValue(true);
  try {
    const addresses = { from: ['192.0.2.1'], addresses: ['192.0.2.2'], closed: 3, byAddress: false };
    showHandOver(new Terminal(process.stdout), { settings, to: 'new', folder: '/srv/moorage', ...addresses });
    const text = told.mock.calls.join('');
    for (const line of ['r.example (now 192.0.2.1) →', 'also.example →', 'hub.example →'])
      expect(text).toContain(`${line} 192.0.2.2`);
  } finally {
    told.mockRestore();
  }
});
