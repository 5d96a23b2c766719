import { expect, test } from 'vitest';
import { parseUpgrade } from './newer-packages.ts';

test('what apt would upgrade, from its own words', () => {
  const said = [
    'Inst libssl3t64 [3.5.1-1] (3.5.7-1~deb13u3 Debian-Security:13/stable-security [amd64])',
    'Inst zlib1g [1:1.3.dfsg+really1.3.1-1+b1] (1:1.3.dfsg+really1.3.1-1+deb13u1 Debian:13.2/stable [amd64]) []',
    'Conf libssl3t64 (3.5.7-1~deb13u3 Debian-Security:13/stable-security [amd64])',
  ].join('\n');
  expect(parseUpgrade(said)).toEqual([
    { name: 'libssl3t64', from: '3.5.1-1', to: '3.5.7-1~deb13u3' },
    { name: 'zlib1g', from: '1:1.3.dfsg+really1.3.1-1+b1', to: '1:1.3.dfsg+really1.3.1-1+deb13u1' },
  ]);
  expect(parseUpgrade('')).toEqual([]);
});
